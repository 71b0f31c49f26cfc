import { Paper, Text } from "@mantine/core";
import type { Period } from "@/api/types";
import { pct } from "@/shared/format";

interface Props {
  period: Period | undefined;
  label: (from: string) => string;
}

export function StatusTooltip({ period, label }: Props) {
  if (!period) return null;
  return (
    <Paper withBorder shadow="sm" p="xs" bg="var(--surface)" className="tabular">
      <Text fz="xs" c="dimmed">
        {label(period.from)}
      </Text>
      <Text fz="sm">
        <b>{pct(period.pct)}</b> attended
      </Text>
      <Text fz="xs" c="dimmed">
        {period.present} in time, {period.late} late, {period.absent} absent, {period.unknown} undecided
      </Text>
    </Paper>
  );
}
