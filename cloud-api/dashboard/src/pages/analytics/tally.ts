import type { AttendanceStatus, Period } from "@/api/types";

export interface Tally extends Record<AttendanceStatus, number> {
  attended: number;
  all: number;
}

export function tally(periods: Period[]): Tally {
  const sum = (name: AttendanceStatus) => periods.reduce((total, period) => total + period[name], 0);
  const [present, late, absent, unknown] = [sum("present"), sum("late"), sum("absent"), sum("unknown")];
  return { present, late, absent, unknown, attended: present + late, all: present + late + absent + unknown };
}

/** Attended part of the decided days, in percent; null where none is decided. */
export function attendedPct({ attended, absent }: Tally): number | null {
  return attended + absent === 0 ? null : (100 * attended) / (attended + absent);
}
