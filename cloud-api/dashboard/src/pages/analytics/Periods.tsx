import { SegmentedControl } from "@mantine/core";
import { lazy, useState } from "react";
import type { Analytics } from "@/api/types";
import { ChartFrame } from "@/charts/ChartFrame";
import { StatusLegend } from "@/charts/StatusLegend";
import { Section } from "@/shared/Section";
import { pct } from "@/shared/format";
import { STATUS_NAMES, STATUSES } from "@/shared/statuses";
import { calendarDate } from "@/shared/zone";

const StatusBars = lazy(() => import("@/charts/StatusBars"));

type Length = "daily" | "weekly" | "monthly";
const HEIGHT = 260;

const LABELS: Record<Length, (from: string) => string> = {
  daily: (from) => calendarDate(from, { day: "numeric", month: "short" }),
  weekly: (from) => `Week of ${calendarDate(from, { day: "numeric", month: "short" })}`,
  monthly: (from) => calendarDate(from, { month: "short", year: "numeric" }),
};

export function Periods({ data }: { data: Analytics }) {
  const [length, setLength] = useState<Length>("weekly");
  const periods = data[length];
  const label = LABELS[length];
  return (
    <Section
      title="In time, late, absent"
      note="Person-days. An undecided day is nobody’s absence."
      aside={
        <SegmentedControl
          aria-label="Length of a bar"
          value={length}
          onChange={(value) => setLength(value as Length)}
          data={[
            { value: "daily", label: "Days" },
            { value: "weekly", label: "Weeks" },
            { value: "monthly", label: "Months" },
          ]}
        />
      }
    >
      <ChartFrame
        label={`In time, late and absent, ${length}`}
        height={HEIGHT}
        chart={<StatusBars periods={periods} label={label} tick={length === "weekly" ? LABELS.daily : label} height={HEIGHT} />}
        below={<StatusLegend />}
        header={["From", ...STATUSES.map((status) => STATUS_NAMES[status]), "Attended"]}
        rows={periods.map((period) => [
          label(period.from),
          ...STATUSES.map((status) => String(period[status])),
          pct(period.pct),
        ])}
      />
    </Section>
  );
}
