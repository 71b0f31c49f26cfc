import "@mantine/charts/styles.css";

import { BarChart } from "@mantine/charts";
import { AXIS_WIDTH, quiet, RIGHT } from "./style";

export interface CountBarsProps {
  /** Null is drawn as a gap. */
  bars: { label: string; count: number | null }[];
  name: string;
  color: string;
  height: number;
}

export default function CountBars({ bars, name, color, height }: CountBarsProps) {
  return (
    <BarChart
      h={height}
      data={bars}
      dataKey="label"
      series={[{ name: "count", label: name, color }]}
      {...quiet}
      maxBarWidth={34}
      xAxisProps={{ minTickGap: 14 }}
      yAxisProps={{ width: AXIS_WIDTH, allowDecimals: false }}
      barProps={{ isAnimationActive: false }}
      barChartProps={{ margin: { top: 8, right: RIGHT, left: 0, bottom: 0 }, accessibilityLayer: false }}
    />
  );
}
