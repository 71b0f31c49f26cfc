import { Legend } from "./Legend";
import { STATUS_COLORS } from "./style";

export function StatusLegend() {
  return (
    <Legend
      entries={[
        { label: "In time", color: STATUS_COLORS.present },
        { label: "Late", color: STATUS_COLORS.late },
        { label: "Absent", color: STATUS_COLORS.absent },
        { label: "Undecided", color: STATUS_COLORS.unknown },
      ]}
    />
  );
}
