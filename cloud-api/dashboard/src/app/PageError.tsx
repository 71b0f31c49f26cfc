import { Button, Group, Stack, Text, Title } from "@mantine/core";
import { useRouteError } from "react-router";
import { messageOf } from "@/api/error";

/** What a page shows instead of itself when it broke: the rest of the dashboard goes on. */
export function PageError() {
  const error = useRouteError();
  const chunkGone = error instanceof TypeError && /import|module|fetch/i.test(error.message);
  const text = chunkGone
    ? "The dashboard was updated, or the connection was lost while this page was loading. Reload it to go on."
    : messageOf(error);
  return (
    <Stack component="main" p="xl" maw={560} mx="auto" gap="md" role="alert">
      <Title order={1}>This page stopped</Title>
      <Text>{text}</Text>
      <Group>
        <Button onClick={() => window.location.reload()}>Reload</Button>
        <Button variant="default" component="a" href="/">
          Go to Home
        </Button>
      </Group>
    </Stack>
  );
}
