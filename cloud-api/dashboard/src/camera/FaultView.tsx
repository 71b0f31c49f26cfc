import { Alert, Button, Stack, Text } from "@mantine/core";
import { IconCameraOff } from "@tabler/icons-react";
import { type CameraFault, FAULT_WORDS } from "./faults";

export function FaultView({ fault, retry }: { fault: CameraFault; retry: () => void }) {
  const { title, fix } = FAULT_WORDS[fault];
  return (
    <Alert role="alert" color="yellow" icon={<IconCameraOff size={22} />} title={title}>
      <Stack gap="sm" align="start">
        <Text fz="sm">{fix}</Text>
        <Text fz="sm">You need no camera to be marked: your PIN, your QR code and your manager are as good.</Text>
        <Button variant="default" onClick={retry}>
          Try again
        </Button>
      </Stack>
    </Alert>
  );
}
