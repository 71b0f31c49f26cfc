import "@mantine/charts/styles.css";

import { BarChart } from "@mantine/charts";
import type { Period } from "@/api/types";
import { StatusTooltip } from "./StatusTooltip";
import { AXIS_WIDTH, quiet, RIGHT, STATUS_SERIES } from "./style";

export interface StatusBarsProps {
  periods: Period[];
  label: (from: string) => string;
  /** The shorter name, under a bar. */
  tick: (from: string) => string;
  height: number;
}

export default function StatusBars({ periods, label, tick, height }: StatusBarsProps) {
  return (
    <BarChart
      h={height}
      data={periods as unknown as Record<string, unknown>[]}
      dataKey="from"
      type="stacked"
      series={STATUS_SERIES}
      {...quiet}
      maxBarWidth={34}
      xAxisProps={{ tickFormatter: tick, minTickGap: 18 }}
      yAxisProps={{ width: AXIS_WIDTH, allowDecimals: false }}
      barProps={{ isAnimationActive: false }}
      barChartProps={{ margin: { top: 8, right: RIGHT, left: 0, bottom: 0 }, accessibilityLayer: false }}
      tooltipProps={{
        content: ({ payload }) => <StatusTooltip period={payload[0]?.payload as Period | undefined} label={label} />,
      }}
    />
  );
}
