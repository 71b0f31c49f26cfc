import { Box, Stack, Text } from "@mantine/core";
import { IconEyeOff, type TablerIcon } from "@tabler/icons-react";
import type { ReactNode } from "react";

interface Props {
  title: string;
  children?: ReactNode;
  action?: ReactNode;
  icon?: TablerIcon;
}

/** Nothing is here yet: what would be, and how it gets here. */
export function EmptyState({ title, children, action, icon: Icon = IconEyeOff }: Props) {
  return (
    <Stack align="center" ta="center" gap="xs" py="xl" px="md">
      <Box c="var(--accent)" bg="var(--accent-soft)" p={12} bdrs={12} lh={0} aria-hidden>
        <Icon size={26} stroke={1.6} />
      </Box>
      <Text fw={600}>{title}</Text>
      {children && (
        <Text fz="sm" c="dimmed" maw={440} component="div">
          {children}
        </Text>
      )}
      {action}
    </Stack>
  );
}
