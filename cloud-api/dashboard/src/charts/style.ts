/** What all charts have in common. */
import type { AttendanceStatus } from "@/api/types";
import { STATUS_NAMES, STATUSES } from "@/shared/statuses";

/** Room for the numbers at the left; the strip of coverage below is indented as much. */
export const AXIS_WIDTH = 40;
export const RIGHT = 12;

export const quiet = {
  gridColor: "var(--line)",
  textColor: "var(--muted)",
  gridAxis: "x",
  tickLine: "none",
  strokeDasharray: "0",
} as const;

/** One colour for each status, on every chart and badge. */
const STATUS_COLORS: Record<AttendanceStatus, string> = {
  present: "var(--accent)",
  late: "var(--late)",
  absent: "var(--absent)",
  unknown: "var(--coverage)",
};

/** The statuses of a day as a chart draws them. */
export const STATUS_SERIES = STATUSES.map((name) => ({ name, label: STATUS_NAMES[name], color: STATUS_COLORS[name] }));
