import { ActionIcon, Box, Code, Group } from "@mantine/core";
import { useClipboard } from "@mantine/hooks";
import { IconCheck, IconCopy } from "@tabler/icons-react";

/** A command to paste into a terminal. */
export function CopyLine({ text }: { text: string }) {
  const { copied, copy } = useClipboard();
  return (
    <Group wrap="nowrap" gap={4} bg="var(--sunken)" bdrs="md" pl="sm" my="xs">
      <Code bg="transparent" fz="sm" style={{ flex: 1, overflowWrap: "anywhere" }} py={10} px={0} c="var(--ink)">
        {text}
      </Code>
      <ActionIcon aria-label={`Copy: ${text}`} onClick={() => copy(text)}>
        {copied ? <IconCheck size={18} /> : <IconCopy size={18} />}
      </ActionIcon>
      <Box component="span" className="visually-hidden" role="status">
        {copied ? "Copied" : ""}
      </Box>
    </Group>
  );
}
