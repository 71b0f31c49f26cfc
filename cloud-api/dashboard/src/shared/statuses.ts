import type { AttendanceStatus } from "@/api/types";

/** The statuses of a day, and what each is called. */
export const STATUS_NAMES: Record<AttendanceStatus, string> = {
  present: "In time",
  late: "Late",
  absent: "Absent",
  unknown: "Undecided",
};

export const STATUSES = Object.keys(STATUS_NAMES) as AttendanceStatus[];

export const STATUS_CHOICES = STATUSES.map((value) => ({ value, label: STATUS_NAMES[value] }));
