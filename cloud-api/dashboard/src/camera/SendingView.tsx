import { Loader, Stack, Text } from "@mantine/core";
import { useEffect, useState } from "react";
import { bytes } from "@/shared/format";

const SLOW_MS = 6_000;

/** Over the picture while the recording is on its way and judged. */
export function SendingView({ bytes: size }: { bytes: number }) {
  const [slow, setSlow] = useState(false);
  useEffect(() => {
    const timer = window.setTimeout(() => setSlow(true), SLOW_MS);
    return () => window.clearTimeout(timer);
  }, []);
  return (
    <Stack align="center" justify="center" gap="xs" role="status" p="lg" ta="center" pos="absolute" inset={0} bdrs={14} bg="rgb(8 12 11 / 82%)" c="#f2f5f4">
      <Loader color="white" type="dots" />
      <Text fw={600}>Checking your blinks …</Text>
      {slow && (
        <Text fz="sm">
          Your line is slow: {bytes(size)} are on their way. Keep this page open; the time at which you started counts.
        </Text>
      )}
    </Stack>
  );
}
