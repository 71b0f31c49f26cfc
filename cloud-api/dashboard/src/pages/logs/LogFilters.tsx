import { NativeSelect, SimpleGrid } from "@mantine/core";
import type { Filter } from "@/api/attendance";
import type { AttendanceStatus } from "@/api/types";
import { DateRange } from "@/shared/DateRange";
import { PersonSelect } from "@/shared/PersonSelect";
import { STATUS_CHOICES } from "@/shared/statuses";

interface Props {
  manages: boolean;
  filter: Filter;
  change: (changed: Partial<Filter>) => void;
}


export function LogFilters({ manages, filter, change }: Props) {
  return (
    <SimpleGrid cols={{ base: 2, md: manages ? 4 : 3 }} mb="md">
      {manages && <PersonSelect value={filter.user} onChange={(user) => change({ user })} />}
      <DateRange
        from={filter.date_from ?? ""}
        to={filter.date_to ?? ""}
        onChange={({ from, to }) => change({ date_from: from || undefined, date_to: to || undefined })}
      />
      <NativeSelect
        label="Status"
        data={[{ value: "", label: "All recorded" }, ...STATUS_CHOICES]}
        value={filter.status ?? ""}
        onChange={({ currentTarget: { value } }) => change({ status: (value as AttendanceStatus | "") || undefined })}
      />
    </SimpleGrid>
  );
}
