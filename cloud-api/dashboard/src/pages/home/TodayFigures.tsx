import { Figure } from "@/shared/Figure";
import { QueryView } from "@/shared/QueryView";
import { SourceOf } from "@/shared/SourceOf";
import { StatsGrid } from "@/shared/StatsGrid";
import { count, duration, percent, rate } from "@/shared/format";
import { useUser } from "@/session/store";
import { clock } from "@/shared/zone";
import { summary } from "./today";
import type { useToday } from "./useToday";

interface Props {
  query: ReturnType<typeof useToday>;
  now: number;
}

export function TodayFigures({ query, now }: Props) {
  const { timezone } = useUser();
  return (
    <QueryView query={query} height={132}>
      {(items) => {
        const today = summary(items, query.range.from, now);
        const over = `over ${duration(today.observedMs)} observed`;
        const source = (what: string) => <SourceOf what={what} items={items} />;
        return (
          <StatsGrid>
            <Figure
              label="Rate now"
              value={rate(today.now.rate)}
              unit="per minute"
              over={
                today.now.rate === null
                  ? today.last
                    ? `last minute at ${clock(today.last.to_timestamp, timezone)}`
                    : "no minute yet today"
                  : `over ${duration(today.now.observedMs)} of the last 5 min`
              }
            />
            <Figure label="Rate today" value={rate(today.rate)} unit="per minute" over={over} source={source("Rate today")} />
            <Figure label="Blinks today" value={count(today.blinks)} over={over} source={source("Blinks today")} />
            <Figure
              label="Observed today"
              value={duration(today.observedMs)}
              over={`${percent(today.coverage)} of the day so far`}
              source={source("Observed today")}
            />
          </StatsGrid>
        );
      }}
    </QueryView>
  );
}
