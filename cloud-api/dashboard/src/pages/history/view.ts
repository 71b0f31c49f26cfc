import type { Group } from "@/api/types";
import { addDays, type Day, dayOf, isoDay, mondayOf, parseDay, startOf } from "@/shared/zone";

export type View = "day" | "week" | "month";

export interface Window {
  view: View;
  /** The first day that is shown. */
  first: Day;
  /** The day after the last. */
  end: Day;
  from: number;
  to: number;
}

export const VIEWS: View[] = ["day", "week", "month"];

/** What each view is drawn in, and what its table may list. */
export const CHART_GROUP: Record<View, Group> = { day: "minute", week: "hour", month: "day" };
export const TABLE_GROUPS: Record<View, Group[]> = {
  day: ["hour", "minute"],
  week: ["day", "hour", "minute"],
  month: ["day", "week", "hour", "minute"],
};

function firstOf(view: View, day: Day): Day {
  if (view === "week") return mondayOf(day);
  return view === "month" ? { ...day, day: 1 } : day;
}

function endOf(view: View, first: Day): Day {
  // Four days after the 28th are in the next month, whatever its length.
  if (view === "month") return { ...addDays({ ...first, day: 28 }, 4), day: 1 };
  return addDays(first, view === "week" ? 7 : 1);
}

export function windowOf(view: View, day: Day, zone: string): Window {
  const first = firstOf(view, day);
  const end = endOf(view, first);
  return { view, first, end, from: startOf(first, zone), to: startOf(end, zone) };
}

/** The window before or after. */
export function moved({ view, first, end }: Window, direction: -1 | 1, zone: string): Window {
  return windowOf(view, direction === 1 ? end : addDays(first, -1), zone);
}

/** Starts of all days of a window, and of the day after. */
export function dayStarts({ first, end }: Window, zone: string): number[] {
  const starts: number[] = [];
  for (let day = first; isoDay(day) <= isoDay(end); day = addDays(day, 1)) starts.push(startOf(day, zone));
  return starts;
}

export function readWindow(params: URLSearchParams, zone: string, now = Date.now()): Window {
  const wanted = params.get("view") as View;
  const view = VIEWS.includes(wanted) ? wanted : "day";
  const day = parseDay(params.get("date") ?? "") ?? dayOf(now, zone);
  return windowOf(view, day, zone);
}
