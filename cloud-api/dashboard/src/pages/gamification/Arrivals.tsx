import { lazy } from "react";
import type { Analytics } from "@/api/types";
import { ChartFrame } from "@/charts/ChartFrame";
import { EmptyState } from "@/shared/EmptyState";
import { Section } from "@/shared/Section";
import { calendarDate } from "@/shared/zone";

const ArrivalScatter = lazy(() => import("@/charts/ArrivalScatter"));
const HEIGHT = 260;

export function Arrivals({ timeline }: { timeline: Analytics["timeline"] }) {
  const arrivals = timeline.map(({ date, minutes_since_9am }) => ({ day: Date.parse(`${date}T00:00:00Z`), minutes: minutes_since_9am }));
  return (
    <Section title="When you arrived" note="A dot for each day; the organisation’s clock, earlier is higher">
      {arrivals.length === 0 ? (
        <EmptyState title="No arrival yet">Check in once, and the first dot is here.</EmptyState>
      ) : (
        <ChartFrame
          label="Your arrivals by day"
          height={HEIGHT}
          chart={<ArrivalScatter arrivals={arrivals} height={HEIGHT} />}
          header={["Day", "Arrival"]}
          rows={timeline.map(({ date, arrival_time }) => [calendarDate(date), arrival_time.slice(0, 5)])}
        />
      )}
    </Section>
  );
}
