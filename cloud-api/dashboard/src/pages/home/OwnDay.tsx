import { Group, Text } from "@mantine/core";
import type { AttendanceItem, DeskPerson } from "@/api/types";
import { StatusBadge } from "@/shared/StatusBadge";

interface Props {
  person: DeskPerson | null;
  record: AttendanceItem | undefined;
}

export function OwnDay({ person, record }: Props) {
  if (!person) {
    return (
      <Text fz="sm" c="dimmed">
        The attendance desk does not know you yet. If your organisation uses it, ask your manager to add you; your face is
        enrolled only with your consent.
      </Text>
    );
  }
  if (!record) return <Text>You are not marked yet today.</Text>;
  return (
    <Group>
      <StatusBadge status={record.status} />
      <Text>You are marked since {record.time?.slice(0, 5)}.</Text>
    </Group>
  );
}
