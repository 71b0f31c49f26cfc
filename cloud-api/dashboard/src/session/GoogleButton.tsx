import { Button } from "@mantine/core";

export function GoogleButton({ next }: { next: string }) {
  return (
    <Button component="a" variant="default" fullWidth href={`/api/auth/google?next=${encodeURIComponent(next)}`}>
      Continue with Google
    </Button>
  );
}
