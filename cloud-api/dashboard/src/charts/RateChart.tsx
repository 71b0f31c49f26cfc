import "@mantine/charts/styles.css";

import { AreaChart } from "@mantine/charts";
import { ReferenceArea } from "recharts";
import { count } from "@/shared/format";
import { RateTooltip } from "./RateTooltip";
import type { RatePoint } from "./series";
import { AXIS_WIDTH, quiet, RIGHT } from "./style";
import type { Band } from "./usual";

export interface RateChartProps {
  points: RatePoint[];
  band: Band | null;
  ticks: number[];
  tickText: (at: number) => string;
  /** Names an interval in the tooltip. */
  intervalText: (point: RatePoint) => string;
  height?: number;
}

/** Blinks per minute over time. A gap is time that nobody observed; the band is one's own usual. */
export default function RateChart({ points, band, ticks, tickText, intervalText, height = 240 }: RateChartProps) {
  const from = points[0]?.from ?? 0;
  const to = points.at(-1)?.to ?? 1;
  const highest = Math.max(band?.high ?? 0, ...points.map((point) => point.rate ?? 0), 4);
  const top = Math.ceil(highest / 10) * 10;
  return (
    <AreaChart
      h={height}
      data={points as unknown as Record<string, unknown>[]}
      dataKey="at"
      series={[{ name: "rate", label: "Blinks per minute", color: "var(--accent)" }]}
      curveType="monotone"
      connectNulls={false}
      strokeWidth={2}
      fillOpacity={0.14}
      withGradient={false}
      dotProps={{ r: points.length > 80 ? 1 : 2.5, strokeWidth: 0, fill: "var(--accent)" }}
      activeDotProps={{ r: 5 }}
      {...quiet}
      xAxisProps={{ type: "number", scale: "time", domain: [from, to], ticks, tickFormatter: tickText, minTickGap: 16 }}
      yAxisProps={{ width: AXIS_WIDTH, domain: [0, top], ticks: [0, top / 2, top].filter(Number.isInteger), tickFormatter: count }}
      areaProps={{ isAnimationActive: false }}
      areaChartProps={{ margin: { top: 8, right: RIGHT, left: 0, bottom: 0 }, accessibilityLayer: false }}
      tooltipProps={{
        content: ({ payload }) => (
          <RateTooltip point={payload[0]?.payload as RatePoint | undefined} intervalText={intervalText} />
        ),
      }}
    >
      {band && <ReferenceArea y1={band.low} y2={band.high} fill="var(--usual)" fillOpacity={1} stroke="var(--usual)" strokeOpacity={1} />}
    </AreaChart>
  );
}
