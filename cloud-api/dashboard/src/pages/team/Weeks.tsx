import { Text } from "@mantine/core";
import { IconUsers } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { lazy } from "react";
import type { TeamWeek } from "@/api/types";
import { ChartFrame } from "@/charts/ChartFrame";
import { EmptyState } from "@/shared/EmptyState";
import { QueryView } from "@/shared/QueryView";
import { shortDate } from "@/shared/zone";
import { teamWeeksOptions } from "./queries";

const CountBars = lazy(() => import("@/charts/CountBars"));
const HEIGHT = 220;

const figure = ({ suppressed, blinks_per_minute }: TeamWeek) => (suppressed ? null : (blinks_per_minute ?? null));

/** The closed weeks of a team. Under five people a week has no figure, and is a gap. */
export function Weeks({ team, zone }: { team: string; zone: string }) {
  const query = useQuery(teamWeeksOptions(team));
  return (
    <QueryView
      query={query}
      height={HEIGHT}
      empty={{
        when: ({ items }) => items.length === 0,
        show: (
          <EmptyState title="No closed week yet" icon={IconUsers}>
            A figure comes two days after a calendar week in which at least five members, there for all of it, were observed
            for two hours or more each.
          </EmptyState>
        ),
      }}
    >
      {({ items }) => {
        const bars = items.map((week) => ({ label: shortDate(week.from_timestamp, zone), count: figure(week) }));
        const hidden = bars.filter(({ count }) => count === null).length;
        return (
          <>
            <ChartFrame
              label="The team’s blinks per minute, by week"
              height={HEIGHT}
              chart={<CountBars bars={bars} name="Blinks per minute" color="var(--accent)" height={HEIGHT} />}
              header={["Week from", "Blinks per minute"]}
              rows={bars.map(({ label, count }) => [label, count === null ? "hidden: fewer than five people" : String(count)])}
            />
            <Text fz="sm" c="dimmed">
              A rounded mean of the members’ own means.
              {hidden > 0 && ` ${hidden} of ${bars.length} weeks are hidden: fewer than five people were observed long enough.`}
            </Text>
          </>
        );
      }}
    </QueryView>
  );
}
