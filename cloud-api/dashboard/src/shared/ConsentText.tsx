import { Box, Text } from "@mantine/core";
import type { UseQueryResult } from "@tanstack/react-query";
import type { ConsentKind } from "@/api/types";
import { QueryView } from "./QueryView";

type Texts = Record<ConsentKind, { version: string; text: string }>;

interface Props {
  query: UseQueryResult<Texts>;
  kind: ConsentKind;
}

/** A consent's text in full, as the server has it. */
export function ConsentText({ query, kind }: Props) {
  return (
    <QueryView query={query} height={240}>
      {(texts) => (
        <Box p="md" bdrs="md" bd="1px solid var(--line)" bg="var(--surface)">
          {texts[kind].text.trim().split("\n\n").map((paragraph) => (
            <Text key={paragraph} fz="sm" mb="xs">
              {paragraph}
            </Text>
          ))}
          <Text fz="xs" c="dimmed">
            Version {texts[kind].version} of this text
          </Text>
        </Box>
      )}
    </QueryView>
  );
}
