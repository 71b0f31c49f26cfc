import { Alert, Button, Stack, Text } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import { ApiError, messageOf } from "@/api/error";

interface Props {
  error: unknown;
  retry?: () => void;
  busy?: boolean;
  /** Older figures are still on the page. */
  compact?: boolean;
}

function next(error: unknown): string | null {
  if (!(error instanceof ApiError)) return null;
  if (error.status >= 500) return "The fault is the server's. It is tried again by itself; if it stays, tell your operator the request number.";
  if (error.status === 403) return "Ask an admin of your organisation if you should see this.";
  return null;
}

export function ErrorState({ error, retry, busy, compact }: Props) {
  const hint = next(error);
  const requestId = error instanceof ApiError ? error.requestId : null;
  return (
    <Alert
      role="alert"
      color="red"
      icon={<IconAlertTriangle size={20} />}
      title={compact ? "These figures may be out of date" : "This could not be loaded"}
      mb={compact ? "md" : 0}
    >
      <Stack gap="xs" align="start">
        <Text fz="sm">{messageOf(error)}</Text>
        {hint && <Text fz="sm">{hint}</Text>}
        {requestId && (
          <Text fz="xs" c="dimmed" style={{ wordBreak: "break-all" }}>
            Request {requestId}
          </Text>
        )}
        {retry && (
          <Button variant="default" onClick={retry} disabled={busy}>
            {busy ? "Trying again …" : "Try again now"}
          </Button>
        )}
      </Stack>
    </Alert>
  );
}
