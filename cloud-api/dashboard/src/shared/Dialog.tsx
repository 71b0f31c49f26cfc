import type { ModalProps } from "@mantine/core";
import { lazy, Suspense, useEffect, useState } from "react";

const load = () => import("./DialogWindow");
const DialogWindow = lazy(load);

/** A dialog over the page. Its code comes after the page's own, before somebody needs it. */
export function Dialog(props: ModalProps) {
  const [needed, setNeeded] = useState(props.opened);
  if (props.opened && !needed) setNeeded(true);
  useEffect(() => void load().catch(() => undefined), []);
  return <Suspense>{needed && <DialogWindow {...props} />}</Suspense>;
}
