import { ActionIcon } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconInfoCircle } from "@tabler/icons-react";
import { lazy } from "react";
import type { HistoryItem } from "@/api/types";
import { Dialog } from "./Dialog";

const Source = lazy(() => import("./Source"));

interface Props {
  what: string;
  items: HistoryItem[];
}

/** Opens a figure to where it comes from. */
export function SourceOf({ what, items }: Props) {
  const [opened, { open, close }] = useDisclosure(false);
  const title = `Where “${what}” comes from`;
  return (
    <>
      <ActionIcon aria-label={title} aria-haspopup="dialog" aria-expanded={opened} onClick={open}>
        <IconInfoCircle size={18} stroke={1.6} />
      </ActionIcon>
      <Dialog opened={opened} onClose={close} title={title}>
        <Source items={items} />
      </Dialog>
    </>
  );
}
