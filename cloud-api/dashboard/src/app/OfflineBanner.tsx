import { Box } from "@mantine/core";
import { useNetwork } from "@mantine/hooks";

export function OfflineBanner() {
  const { online } = useNetwork();
  return (
    <div role="status">
      {!online && (
        <Box p="sm" ta="center" fz="sm" bg="var(--late-soft)" c="var(--late)">
          You are offline. What you typed stays here; the page goes on by itself when the connection is back.
        </Box>
      )}
    </div>
  );
}
