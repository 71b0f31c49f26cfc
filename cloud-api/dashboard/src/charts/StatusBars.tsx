import "@mantine/charts/styles.css";

import { BarChart } from "@mantine/charts";
import type { Period } from "@/api/types";
import { StatusTooltip } from "./StatusTooltip";
import { AXIS_WIDTH, quiet, RIGHT, STATUS_COLORS } from "./style";

export interface StatusBarsProps {
  periods: Period[];
  label: (from: string) => string;
  /** The shorter name, under a bar. */
  tick: (from: string) => string;
  height: number;
}

const SERIES = [
  { name: "present", label: "In time", color: STATUS_COLORS.present },
  { name: "late", label: "Late", color: STATUS_COLORS.late },
  { name: "absent", label: "Absent", color: STATUS_COLORS.absent },
  { name: "unknown", label: "Undecided", color: STATUS_COLORS.unknown },
];

export default function StatusBars({ periods, label, tick, height }: StatusBarsProps) {
  return (
    <BarChart
      h={height}
      data={periods as unknown as Record<string, unknown>[]}
      dataKey="from"
      type="stacked"
      series={SERIES}
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
