import { Box, Group, Stack, Text, Title } from "@mantine/core";
import { type ReactNode, useEffect, useRef } from "react";
import { useNavigationType } from "react-router";

interface Props {
  title: string;
  /** One sentence on what the page is for. */
  lead?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
}

/** A page's frame: its title in the window, in the heading, and under the focus after a change of page. */
export function Page({ title, lead, actions, children }: Props) {
  const heading = useRef<HTMLHeadingElement>(null);
  const followed = useNavigationType() !== "POP";
  useEffect(() => {
    document.title = `${title} · Wellness at Work`;
    if (followed) heading.current?.focus({ preventScroll: true });
  }, [title, followed]);
  return (
    <Stack gap="xl">
      <Group justify="space-between" align="end" gap="md">
        <Box>
          <Title order={1} ref={heading} tabIndex={-1}>
            {title}
          </Title>
          {lead && (
            <Text c="dimmed" mt={6} maw={640}>
              {lead}
            </Text>
          )}
        </Box>
        {actions && <Group gap="sm">{actions}</Group>}
      </Group>
      {children}
    </Stack>
  );
}
