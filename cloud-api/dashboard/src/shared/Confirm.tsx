import { Button, Group, Stack, Text } from "@mantine/core";
import type { ReactNode } from "react";
import { Dialog } from "./Dialog";

interface Props {
  opened: boolean;
  title: string;
  action: string;
  busy: boolean;
  onYes: () => void;
  onClose: () => void;
  children: ReactNode;
}

/** Asks before what cannot be undone. */
export function Confirm({ opened, title, action, busy, onYes, onClose, children }: Props) {
  return (
    <Dialog opened={opened} onClose={onClose} title={title}>
      <Stack ta="left">
        <Text fz="sm">{children}</Text>
        <Group>
          <Button color="red" loading={busy} onClick={onYes}>
            {action}
          </Button>
          <Button variant="default" onClick={onClose} data-autofocus>
            Cancel
          </Button>
        </Group>
      </Stack>
    </Dialog>
  );
}
