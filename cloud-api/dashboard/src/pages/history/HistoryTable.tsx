import { Button, Group, NativeSelect } from "@mantine/core";
import { IconDownload } from "@tabler/icons-react";
import { useState } from "react";
import { useHistory } from "@/api/history";
import type { Group as Grain } from "@/api/types";
import { useUser } from "@/session/store";
import { EmptyState } from "@/shared/EmptyState";
import { QueryView } from "@/shared/QueryView";
import { Section } from "@/shared/Section";
import { VirtualTable } from "@/shared/VirtualTable";
import { download } from "@/shared/download";
import { plural } from "@/shared/format";
import { isoDay } from "@/shared/zone";
import { columns, historyCsv, keeps, type Measured } from "./rows";
import { TABLE_GROUPS, type Window } from "./view";

const GRAINS: Record<Grain, string> = { minute: "Minutes", hour: "Hours", day: "Days", week: "Weeks" };
const MEASURED: { value: Measured; label: string }[] = [
  { value: "all", label: "Everything" },
  { value: "good", label: "Enough observed" },
  { value: "half", label: "Half or more observed" },
];

export function HistoryTable({ shown }: { shown: Window }) {
  const { timezone } = useUser();
  const [grain, setGrain] = useState<Grain>(TABLE_GROUPS[shown.view][0]!);
  const [measured, setMeasured] = useState<Measured>("all");
  const query = useHistory({ from: shown.from, to: shown.to, group: grain });
  const rows = (query.data ?? []).filter((item) => keeps(item, measured)).reverse();
  const save = () => download(`blinks_${isoDay(shown.first)}_${shown.view}_${grain}.csv`, historyCsv(rows.toReversed()));
  return (
    <Section
      title="Table"
      note={query.data && plural(rows.length, "row")}
      aside={
        <Button variant="default" leftSection={<IconDownload size={18} />} disabled={rows.length === 0} onClick={save}>
          Export CSV
        </Button>
      }
    >
      <Group mb="md" grow preventGrowOverflow={false}>
        <NativeSelect
          label="Rows"
          data={TABLE_GROUPS[shown.view].map((value) => ({ value, label: GRAINS[value] }))}
          value={grain}
          onChange={(event) => setGrain(event.currentTarget.value as Grain)}
        />
        <NativeSelect
          label="Show"
          data={MEASURED}
          value={measured}
          onChange={(event) => setMeasured(event.currentTarget.value as Measured)}
        />
      </Group>
      <QueryView
        query={query}
        height={280}
        empty={{ when: () => rows.length === 0, show: <EmptyState title="No rows">Choose other filters, or another time above.</EmptyState> }}
      >
        {() => <VirtualTable caption="Your history" columns={columns(grain, timezone)} rows={rows} rowKey={(row) => row.from_timestamp} />}
      </QueryView>
    </Section>
  );
}
