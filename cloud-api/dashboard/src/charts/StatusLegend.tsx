import { Legend } from "./Legend";
import { STATUS_SERIES } from "./style";

export function StatusLegend() {
  return <Legend entries={STATUS_SERIES} />;
}
