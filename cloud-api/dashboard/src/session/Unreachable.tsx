import { Button, Stack, Text, Title } from "@mantine/core";
import { useEffect, useState } from "react";
import { messageOf } from "@/api/error";
import { retryDelay } from "@/api/queryClient";
import { restore } from "./actions";

/** Shown before it is known whether there is a session; tries again by itself. */
export function Unreachable({ reason }: { reason: unknown }) {
  const [tries, setTries] = useState(0);
  useEffect(() => {
    const again = () => {
      setTries(tries + 1);
      void restore();
    };
    const timer = window.setTimeout(again, retryDelay(tries, reason));
    return () => window.clearTimeout(timer);
  }, [tries, reason]);
  return (
    <Stack component="main" p="xl" maw={520} mx="auto" mt="10vh" role="alert">
      <Title order={1}>No answer from the server</Title>
      <Text>{messageOf(reason)}</Text>
      <Button onClick={() => void restore()} style={{ alignSelf: "start" }}>
        Try again now
      </Button>
    </Stack>
  );
}
