import { ActionIcon } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconInfoCircle } from "@tabler/icons-react";
import { lazy, Suspense } from "react";
import type { HistoryItem } from "@/api/types";

const SourceDialog = lazy(() => import("./SourceDialog"));

interface Props {
  what: string;
  items: HistoryItem[];
}

/** Opens a figure to where it comes from. */
export function SourceOf({ what, items }: Props) {
  const [opened, { open, close }] = useDisclosure(false);
  const [asked, ask] = useDisclosure(false);
  return (
    <>
      <ActionIcon
        aria-label={`Where “${what}” comes from`}
        aria-haspopup="dialog"
        aria-expanded={opened}
        onClick={() => (ask.open(), open())}
      >
        <IconInfoCircle size={18} stroke={1.6} />
      </ActionIcon>
      <Suspense>{asked && <SourceDialog what={what} items={items} opened={opened} onClose={close} />}</Suspense>
    </>
  );
}
