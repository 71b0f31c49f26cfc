import { lazy } from "react";
import type { Analytics } from "@/api/types";
import { ChartFrame } from "@/charts/ChartFrame";
import { StatusLegend } from "@/charts/StatusLegend";
import { STATUS_SERIES } from "@/charts/style";
import { Section } from "@/shared/Section";
import { count, pct, percent } from "@/shared/format";
import { attendedPct, tally } from "./tally";

const StatusDonut = lazy(() => import("@/charts/StatusDonut"));

export function Attended({ data }: { data: Analytics }) {
  const all = tally(data.daily);
  const slices = STATUS_SERIES.map(({ name, label, color }) => ({ name: label, value: all[name], color }));
  return (
    <Section title="All days together" note="In the middle: attended, of what is decided">
      <ChartFrame
        label={`${pct(attendedPct(all))} attended`}
        height={200}
        chart={<StatusDonut slices={slices} label={pct(attendedPct(all))} />}
        below={<StatusLegend />}
        header={["Status", "Days", "Part"]}
        rows={slices.map(({ name, value }) => [name, count(value), percent(all.all ? value / all.all : null)])}
      />
    </Section>
  );
}
