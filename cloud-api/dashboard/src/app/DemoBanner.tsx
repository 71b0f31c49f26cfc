import { Box } from "@mantine/core";
import { features } from "./features";

export function DemoBanner() {
  if (!features.demo) return null;
  return (
    <Box role="note" p="sm" ta="center" fz="sm" bg="var(--late-soft)" c="var(--late)">
      Demo: these people and their history are made up, and nothing that you do here is stored.
    </Box>
  );
}
