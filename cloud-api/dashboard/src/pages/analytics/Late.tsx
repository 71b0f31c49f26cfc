import { lazy } from "react";
import type { Analytics } from "@/api/types";
import { ChartFrame } from "@/charts/ChartFrame";
import { EmptyState } from "@/shared/EmptyState";
import { Section } from "@/shared/Section";
import { count } from "@/shared/format";

const CountBars = lazy(() => import("@/charts/CountBars"));
const LAST = 120;
const HEIGHT = 200;

export const barLabel = (from: number): string => (from >= LAST ? `${LAST}+` : `${from}–${from + 5}`);

export function Late({ data }: { data: Analytics }) {
  const bars = data.late_distribution.map(({ minutes_from, count: n }) => ({ label: barLabel(minutes_from), count: n }));
  return (
    <Section title="How late" note="Minutes after the start of work, late days only">
      {bars.every((bar) => bar.count === 0) ? (
        <EmptyState title="Nobody was late in these days" />
      ) : (
        <ChartFrame
          label="How many days were late by how many minutes"
          height={HEIGHT}
          chart={<CountBars bars={bars} name="Late days" color="var(--late)" height={HEIGHT} />}
          header={["Minutes late", "Days"]}
          rows={bars.map((bar) => [bar.label, count(bar.count)])}
        />
      )}
    </Section>
  );
}
