import { Center, Loader } from "@mantine/core";

export function Loading() {
  return (
    <Center component="main" mih="100dvh" role="status" aria-label="Loading">
      <Loader type="dots" />
    </Center>
  );
}
