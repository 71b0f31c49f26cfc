import type { AttendanceStatus } from "@/api/types";
import classes from "./StatusBadge.module.css";
import { STATUS_NAMES } from "./statuses";

export function StatusBadge({ status }: { status: AttendanceStatus }) {
  return (
    <span className={classes.badge} data-status={status}>
      {STATUS_NAMES[status]}
    </span>
  );
}
