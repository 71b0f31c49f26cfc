import "@mantine/charts/styles.css";

import { ScatterChart } from "@mantine/charts";
import { calendarDate } from "@/shared/zone";
import { AXIS_WIDTH, quiet, RIGHT } from "./style";

export interface Arrival {
  /** Midnight of the day, UTC. */
  day: number;
  /** Minutes after 9:00 of the organisation's clock; before it negative. */
  minutes: number;
}

export interface ArrivalScatterProps {
  arrivals: Arrival[];
  height: number;
}

export const arrivalClock = (minutes: number): string => {
  const total = (9 * 60 + minutes + 1_440) % 1_440;
  return `${String(Math.floor(total / 60)).padStart(2, "0")}:${String(total % 60).padStart(2, "0")}`;
};

const iso = (day: number) => new Date(day).toISOString().slice(0, 10);

export default function ArrivalScatter({ arrivals, height }: ArrivalScatterProps) {
  const minutes = arrivals.map((arrival) => arrival.minutes);
  const [earliest, latest] = [Math.min(-30, ...minutes), Math.max(30, ...minutes)];
  const step = latest - earliest > 240 ? 60 : 30;
  const low = Math.floor(earliest / step) * step;
  const high = Math.ceil(latest / step) * step;
  const ticks = Array.from({ length: (high - low) / step + 1 }, (_, n) => low + n * step);
  return (
    <ScatterChart
      h={height}
      data={[{ name: "Arrivals", color: "var(--accent)", data: arrivals as unknown as Record<string, number>[] }]}
      dataKey={{ x: "day", y: "minutes" }}
      {...quiet}
      referenceLines={[{ y: 0, color: "var(--muted)" }]}
      xAxisProps={{
        type: "number",
        domain: ["dataMin", "dataMax"],
        tickFormatter: (day: number) => calendarDate(iso(day), { day: "numeric", month: "short" }),
        minTickGap: 24,
      }}
      yAxisProps={{ width: AXIS_WIDTH + 12, domain: [low, high], ticks, tickFormatter: arrivalClock, reversed: true }}
      valueFormatter={{ x: (day) => calendarDate(iso(day)), y: arrivalClock }}
      labels={{ x: "Day", y: "Arrival" }}
      scatterProps={{ isAnimationActive: false, fillOpacity: 0.55 }}
      scatterChartProps={{ margin: { top: 8, right: RIGHT, left: 0, bottom: 0 }, accessibilityLayer: false }}
    />
  );
}
