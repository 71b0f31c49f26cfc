import { Paper, Text } from "@mantine/core";
import { duration, percent, rate } from "@/shared/format";
import type { RatePoint } from "./series";

interface Props {
  point: RatePoint | undefined;
  intervalText: (point: RatePoint) => string;
}

export function RateTooltip({ point, intervalText }: Props) {
  if (!point) return null;
  return (
    <Paper withBorder shadow="sm" p="xs" bg="var(--surface)" className="tabular">
      <Text fz="xs" c="dimmed">
        {intervalText(point)}
      </Text>
      {point.rate === null ? (
        <Text fz="sm">Not observed</Text>
      ) : (
        <Text fz="sm">
          <b>{rate(point.rate)}</b> blinks per minute
        </Text>
      )}
      <Text fz="xs" c="dimmed">
        over {duration(point.observedMs)} observed, {percent(point.coverage)}
      </Text>
    </Paper>
  );
}
