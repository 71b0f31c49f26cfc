import type { AttendanceStatus } from "@/api/types";
import classes from "./StatusBadge.module.css";

const LABELS: Record<AttendanceStatus, string> = {
  present: "In time",
  late: "Late",
  absent: "Absent",
  unknown: "Undecided",
};

export function StatusBadge({ status }: { status: AttendanceStatus }) {
  return (
    <span className={classes.badge} data-status={status}>
      {LABELS[status]}
    </span>
  );
}
