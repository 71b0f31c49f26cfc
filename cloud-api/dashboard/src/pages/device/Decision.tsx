import { Alert, Button, Group, Stack, Text } from "@mantine/core";
import type { DeviceDecision } from "@/api/types";

interface Props {
  found: DeviceDecision;
  busy: boolean;
  decide: (yes: boolean) => void;
}

/** The address is what the server saw; the name is only what the device says, so it stands apart. */
export function Decision({ found, busy, decide }: Props) {
  if (found.status === "approved") {
    return <Alert role="status">The device at {found.address} is signed in. You can close this page.</Alert>;
  }
  if (found.status === "denied") {
    return (
      <Alert role="status" color="gray">
        The device at {found.address} was refused. Nothing of your account went to it.
      </Alert>
    );
  }
  return (
    <Stack gap="sm" role="status">
      <Text>
        A device at <b>{found.address}</b> waits to be signed in to your account. It calls itself:
      </Text>
      <Text p="sm" bg="var(--sunken)" bdrs="md" style={{ overflowWrap: "anywhere" }}>
        {found.device_name}
      </Text>
      <Text fz="sm" c="dimmed">
        Confirm only if you started this yourself, just now.
      </Text>
      <Group>
        <Button loading={busy} onClick={() => decide(true)}>
          Yes, sign it in
        </Button>
        <Button variant="default" disabled={busy} onClick={() => decide(false)}>
          No, refuse it
        </Button>
      </Group>
    </Stack>
  );
}
