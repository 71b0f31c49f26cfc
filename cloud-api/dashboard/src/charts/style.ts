/** What all charts have in common. */

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
export const STATUS_COLORS = {
  present: "var(--accent)",
  late: "var(--late)",
  absent: "var(--absent)",
  unknown: "var(--coverage)",
} as const;
