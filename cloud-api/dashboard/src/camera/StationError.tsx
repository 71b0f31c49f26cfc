import { Alert } from "@mantine/core";
import { ApiError, messageOf } from "@/api/error";
import { Interrupted } from "./useChallenge";

function wordsFor(error: unknown): string {
  if (error instanceof Interrupted) return "The page was hidden, so the camera paused. Keep it in front, and start again.";
  if (error instanceof ApiError && error.status === 503) {
    return "The desk cannot look at faces just now. Try again in a moment, or use your PIN or QR code. Today is not counted against you.";
  }
  return messageOf(error);
}

export function StationError({ error }: { error: unknown }) {
  return (
    <Alert color="red" role="alert">
      {wordsFor(error)}
    </Alert>
  );
}
