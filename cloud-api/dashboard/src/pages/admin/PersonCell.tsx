import { Box, Group, Text } from "@mantine/core";
import { useState } from "react";
import type { DeskPerson } from "@/api/types";

const EDGE = 40;

export function PersonCell({ person: { name, id, image_path } }: { person: DeskPerson }) {
  // A photo whose address has ended is loaded with the next list.
  const [failed, setFailed] = useState<string>();
  const initials = name
    .split(/\s+/)
    .slice(0, 2)
    .map((part) => part[0])
    .join("");
  return (
    <Group gap="sm" wrap="nowrap" ta="left">
      {image_path && image_path !== failed ? (
        <img
          src={image_path}
          alt=""
          width={EDGE}
          height={EDGE}
          style={{ borderRadius: 10, objectFit: "cover" }}
          loading="lazy"
          onError={() => setFailed(image_path)}
        />
      ) : (
        <Box w={EDGE} h={EDGE} bdrs={10} bg="var(--neutral-soft)" c="var(--muted)" fz="xs" fw={600} aria-hidden style={{ display: "grid", placeItems: "center", flex: "none" }}>
          {initials}
        </Box>
      )}
      <Box miw={0}>
        <Text fz="sm" fw={600}>
          {name}
        </Text>
        <Text fz="xs" c="dimmed">
          {id}
        </Text>
      </Box>
    </Group>
  );
}
