import "@mantine/charts/styles.css";

import { LineChart } from "@mantine/charts";
import { calendarDate } from "@/shared/zone";
import { AXIS_WIDTH, quiet, RIGHT } from "./style";

export interface PercentLinesProps {
  rows: Record<string, string | number | null>[];
  names: string[];
  height: number;
}

const COLORS = ["var(--accent)", "var(--late)", "var(--absent)", "var(--neutral)", "#7a6ff0"];
const DASHES = ["0", "6 3", "2 3", "9 3 2 3", "0"];

const shortDate = (from: string) => calendarDate(from, { day: "numeric", month: "short" });

/** Attendance of the weeks. A week that says nothing is a gap. */
export default function PercentLines({ rows, names, height }: PercentLinesProps) {
  return (
    <LineChart
      h={height}
      data={rows}
      dataKey="from"
      series={names.map((name, n) => ({ name, color: COLORS[n % 5]!, strokeDasharray: DASHES[n % 5] }))}
      curveType="monotone"
      connectNulls={false}
      strokeWidth={2}
      dotProps={{ r: 3, strokeWidth: 0 }}
      unit=" %"
      {...quiet}
      strokeDasharray="0"
      xAxisProps={{ tickFormatter: shortDate, minTickGap: 18 }}
      yAxisProps={{ width: AXIS_WIDTH + 12, domain: [0, 100], ticks: [0, 50, 100] }}
      lineProps={{ isAnimationActive: false }}
      lineChartProps={{ margin: { top: 8, right: RIGHT, left: 0, bottom: 0 }, accessibilityLayer: false }}
      tooltipProps={{ labelFormatter: (from) => (from ? `Week of ${shortDate(String(from))}` : "") }}
    />
  );
}
