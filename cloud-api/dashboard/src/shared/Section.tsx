import { Box, Card, Group, Text, Title } from "@mantine/core";
import { type ReactNode, useId } from "react";

interface Props {
  title: string;
  note?: ReactNode;
  aside?: ReactNode;
  children: ReactNode;
}

/** A titled card. */
export function Section({ title, note, aside, children }: Props) {
  const id = useId();
  return (
    <Card component="section" aria-labelledby={id}>
      <Group justify="space-between" align="start" gap="sm" mb="md">
        <Box style={{ flex: "1 1 220px" }}>
          <Title order={2} id={id}>
            {title}
          </Title>
          {note && (
            <Text fz="sm" c="dimmed" mt={2}>
              {note}
            </Text>
          )}
        </Box>
        {aside}
      </Group>
      {children}
    </Card>
  );
}
