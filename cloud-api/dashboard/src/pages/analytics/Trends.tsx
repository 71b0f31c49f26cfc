import { MultiSelect } from "@mantine/core";
import { lazy, useState } from "react";
import type { Analytics } from "@/api/types";
import { ChartFrame } from "@/charts/ChartFrame";
import { Section } from "@/shared/Section";
import { pct } from "@/shared/format";
import { calendarDate } from "@/shared/zone";
import { trendRows } from "./trendRows";

const PercentLines = lazy(() => import("@/charts/PercentLines"));
const HEIGHT = 260;
const MOST = 5;

export default function Trends({ data }: { data: Analytics }) {
  const [ids, setIds] = useState(() => data.trends.slice(0, 3).map(({ id }) => id));
  const chosen = data.trends.filter(({ id }) => ids.includes(id));
  const { rows, names } = trendRows(chosen);
  return (
    <Section title="Weeks of a person" note="Attended part of the decided days of each week; a week that says nothing is a gap">
      {data.trends.length > 1 && (
        <MultiSelect
          mb="md"
          label="People"
          description={`Up to ${MOST} at once`}
          maxValues={MOST}
          searchable
          data={data.trends.map(({ id, name }) => ({ value: id, label: name }))}
          value={ids}
          onChange={setIds}
        />
      )}
      <ChartFrame
        label="Attendance of the weeks"
        height={HEIGHT}
        chart={<PercentLines rows={rows} names={names} height={HEIGHT} />}
        header={["Week", ...names]}
        rows={rows.map((row) => [
          calendarDate(String(row.from)),
          ...names.map((name) => pct(row[name] as number | null)),
        ])}
      />
    </Section>
  );
}
