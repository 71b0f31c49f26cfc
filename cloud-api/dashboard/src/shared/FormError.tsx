import { Alert } from "@mantine/core";
import { messageOf } from "@/api/error";

/** Why the server refused a form. */
export function FormError({ error }: { error: unknown }) {
  if (!error) return null;
  return (
    <Alert color="red" role="alert">
      {messageOf(error)}
    </Alert>
  );
}
