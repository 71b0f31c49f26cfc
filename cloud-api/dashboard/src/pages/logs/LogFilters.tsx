import { Select, SimpleGrid } from "@mantine/core";
import type { Filter } from "@/api/attendance";
import type { AttendanceStatus } from "@/api/types";
import { DateRange } from "@/shared/DateRange";
import { PersonSelect } from "@/shared/PersonSelect";

interface Props {
  manages: boolean;
  filter: Filter;
  change: (changed: Partial<Filter>) => void;
}

const STATUSES = [
  { value: "present", label: "In time" },
  { value: "late", label: "Late" },
  { value: "absent", label: "Absent" },
  { value: "unknown", label: "Undecided" },
];

export function LogFilters({ manages, filter, change }: Props) {
  return (
    <SimpleGrid cols={{ base: 2, md: manages ? 4 : 3 }} mb="md">
      {manages && <PersonSelect value={filter.user} onChange={(user) => change({ user })} />}
      <DateRange
        from={filter.date_from ?? ""}
        to={filter.date_to ?? ""}
        onChange={({ from, to }) => change({ date_from: from || undefined, date_to: to || undefined })}
      />
      <Select
        label="Status"
        placeholder="All that are recorded"
        clearable
        clearButtonProps={{ "aria-label": "All that are recorded" }}
        data={STATUSES}
        value={filter.status ?? null}
        onChange={(status) => change({ status: (status as AttendanceStatus | null) ?? undefined })}
      />
    </SimpleGrid>
  );
}
