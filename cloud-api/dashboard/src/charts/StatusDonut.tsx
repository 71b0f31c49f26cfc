import "@mantine/charts/styles.css";

import { DonutChart } from "@mantine/charts";

export interface Slice {
  name: string;
  value: number;
  color: string;
}

export default function StatusDonut({ slices, label }: { slices: Slice[]; label: string }) {
  return (
    <DonutChart
      data={slices.filter(({ value }) => value > 0)}
      size={200}
      thickness={26}
      strokeWidth={2}
      strokeColor="var(--surface)"
      chartLabel={label}
      withTooltip={false}
      mx="auto"
      startAngle={90}
      endAngle={-270}
      styles={{ label: { fontSize: "1.375rem", fontWeight: 600, fill: "var(--ink)" } }}
      pieProps={{ isAnimationActive: false }}
      pieChartProps={{ accessibilityLayer: false }}
    />
  );
}
