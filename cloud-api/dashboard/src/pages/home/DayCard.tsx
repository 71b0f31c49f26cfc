import { useUsualDays } from "@/api/history";
import { RateFigure } from "@/charts/RateFigure";
import { steps } from "@/charts/series";
import { hourTicks } from "@/charts/ticks";
import { usualBand } from "@/charts/usual";
import { useUser } from "@/session/store";
import { EmptyState } from "@/shared/EmptyState";
import { QueryView } from "@/shared/QueryView";
import { Section } from "@/shared/Section";
import { clock, HOUR_MS, MINUTE_MS } from "@/shared/zone";
import type { useToday } from "./useToday";

const STEP_MS = 10 * MINUTE_MS;

interface Props {
  query: ReturnType<typeof useToday>;
  now: number;
}

export function DayCard({ query, now }: Props) {
  const { timezone } = useUser();
  const usual = useUsualDays(timezone, "hour", now);
  return (
    <Section title="Your day" note="Blinks per minute, in steps of ten minutes">
      <QueryView
        query={query}
        height={300}
        empty={{
          when: (items) => items.length === 0,
          show: (
            <EmptyState title="Nothing observed yet today">
              Minutes arrive about a minute after your tray has counted them. Is it running? Its icon shows whether it
              sees you.
            </EmptyState>
          ),
        }}
      >
        {(items) => {
          const { from, to } = shown(Date.parse(items[0]!.from_timestamp), query.range, now);
          return (
            <RateFigure
              label="Your blinks per minute today"
              points={steps(items, from, to, STEP_MS, now)}
              band={usualBand(usual.data ?? [])}
              ticks={hourTicks(from, to)}
              tickText={(at) => clock(at, timezone)}
              intervalText={(point) => `${clock(point.from, timezone)} to ${clock(point.to, timezone)}`}
            />
          );
        }}
      </QueryView>
    </Section>
  );
}

/** From the hour of the first minute to the hour that runs, and at least eight hours. */
function shown(first: number, day: { from: number; to: number }, at: number) {
  const from = Math.floor(first / HOUR_MS) * HOUR_MS;
  const now = Math.ceil(at / HOUR_MS) * HOUR_MS;
  return { from: Math.max(day.from, from), to: Math.min(day.to, Math.max(now, from + 8 * HOUR_MS)) };
}
