import { useHistory, useUsualDays } from "@/api/history";
import type { HistoryItem } from "@/api/types";
import { RateFigure } from "@/charts/RateFigure";
import { intervals, type RatePoint, rateOf, steps, sums } from "@/charts/series";
import { hourTicks, thinned } from "@/charts/ticks";
import { usualBand } from "@/charts/usual";
import { useUser } from "@/session/store";
import { EmptyState } from "@/shared/EmptyState";
import { Figure } from "@/shared/Figure";
import { QueryView } from "@/shared/QueryView";
import { Section } from "@/shared/Section";
import { StatsGrid } from "@/shared/StatsGrid";
import { count, duration, percent, rate } from "@/shared/format";
import { clock, HOUR_MS, MINUTE_MS, weekdayDate } from "@/shared/zone";
import { spoken } from "./Period";
import { CHART_GROUP, dayStarts, type Window } from "./view";

interface Props {
  shown: Window;
  now: number;
}

function pointsOf({ view, from, to, ...rest }: Window, items: HistoryItem[], zone: string, now: number): RatePoint[] {
  if (view === "month") return intervals(items, dayStarts({ view, from, to, ...rest }, zone));
  return steps(items, from, to, view === "day" ? 10 * MINUTE_MS : HOUR_MS, now);
}

export function HistoryChart({ shown, now }: Props) {
  const { timezone } = useUser();
  const query = useHistory({ from: shown.from, to: shown.to, group: CHART_GROUP[shown.view] }, shown.to > now);
  const usual = useUsualDays(timezone, shown.view === "month" ? "day" : "hour", shown.from);
  const ticks = shown.view === "day" ? hourTicks(shown.from, shown.to) : thinned(dayStarts(shown, timezone).slice(0, -1));
  const tickText = (at: number) => (shown.view === "day" ? clock(at, timezone) : weekdayDate(at, timezone));
  const intervalText = ({ from, to }: RatePoint) =>
    shown.view === "month" ? weekdayDate(from, timezone) : `${weekdayDate(from, timezone)}, ${clock(from, timezone)} to ${clock(to, timezone)}`;
  return (
    <Section title={spoken(shown, timezone)} note={`Times in ${timezone.replace("_", " ")}`}>
      <QueryView
        query={query}
        height={420}
        empty={{
          when: (items) => items.length === 0,
          show: <EmptyState title="Nothing was observed here">No device of yours sent a minute of this {shown.view}. Choose another one above.</EmptyState>,
        }}
      >
        {(items) => (
          <>
            <Totals items={items} lengthMs={Math.min(now, shown.to) - shown.from} />
            <RateFigure
              label={`Your blinks per minute, ${spoken(shown, timezone)}`}
              points={pointsOf(shown, items, timezone, now)}
              band={usualBand(usual.data ?? [])}
              ticks={ticks}
              tickText={tickText}
              intervalText={intervalText}
            />
          </>
        )}
      </QueryView>
    </Section>
  );
}

function Totals({ items, lengthMs }: { items: HistoryItem[]; lengthMs: number }) {
  const { blinks, observedMs } = sums(items);
  return (
    <div style={{ marginBottom: 24 }}>
      <StatsGrid>
        <Figure label="Rate" value={rate(rateOf(blinks, observedMs))} unit="per minute" over={`over ${duration(observedMs)} observed`} />
        <Figure label="Blinks" value={count(blinks)} over={`in ${duration(observedMs)} observed`} />
        <Figure label="Observed" value={duration(observedMs)} over={`${percent(observedMs / Math.max(1, lengthMs))} of the time`} />
      </StatsGrid>
    </div>
  );
}
