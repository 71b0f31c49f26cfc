/** Days and clocks of an IANA time zone, by the browser's own tables. */

export const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;
export const DAY_MS = 86_400_000;

export interface Day {
  year: number;
  month: number;
  day: number;
}

function parts(at: number, zone: string) {
  const format = new Intl.DateTimeFormat("en-CA", {
    timeZone: zone,
    hourCycle: "h23",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
  });
  const found = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, Number(value)]));
  return found as Record<"year" | "month" | "day" | "hour" | "minute" | "second", number>;
}

/** The zone's offset from UTC at an instant. */
function offset(at: number, zone: string): number {
  const { year, month, day, hour, minute, second } = parts(at, zone);
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(at / 1_000) * 1_000;
}

export function dayOf(at: number, zone: string): Day {
  const { year, month, day } = parts(at, zone);
  return { year, month, day };
}

/** The instant at which a day begins; days that begin after a skipped midnight included. */
export function startOf({ year, month, day }: Day, zone: string): number {
  const wall = Date.UTC(year, month - 1, day);
  const first = wall - offset(wall, zone);
  const second = wall - offset(first, zone);
  return Math.max(second, wall - offset(second, zone));
}

export function addDays({ year, month, day }: Day, days: number): Day {
  const moved = new Date(Date.UTC(year, month - 1, day + days));
  return { year: moved.getUTCFullYear(), month: moved.getUTCMonth() + 1, day: moved.getUTCDate() };
}

export const isoDay = ({ year, month, day }: Day): string =>
  `${String(year).padStart(4, "0")}-${String(month).padStart(2, "0")}-${String(day).padStart(2, "0")}`;

export function parseDay(text: string): Day | null {
  const found = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
  if (!found) return null;
  const day = { year: Number(found[1]), month: Number(found[2]), day: Number(found[3]) };
  return isoDay(addDays(day, 0)) === text ? day : null;
}

/** 0 is Monday. */
export const weekday = ({ year, month, day }: Day): number => (new Date(Date.UTC(year, month - 1, day)).getUTCDay() + 6) % 7;

export const mondayOf = (day: Day): Day => addDays(day, -weekday(day));

const memo = new Map<string, Intl.DateTimeFormat>();

function formatter(zone: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = zone + JSON.stringify(options);
  const known = memo.get(key) ?? new Intl.DateTimeFormat(undefined, { timeZone: zone, ...options });
  memo.set(key, known);
  return known;
}

const at = (when: number | string) => (typeof when === "string" ? Date.parse(when) : when);

export const clock = (when: number | string, zone: string) =>
  formatter(zone, { hour: "2-digit", minute: "2-digit" }).format(at(when));

export const dateText = (when: number | string, zone: string) =>
  formatter(zone, { weekday: "short", day: "numeric", month: "short", year: "numeric" }).format(at(when));

export const shortDate = (when: number | string, zone: string) =>
  formatter(zone, { day: "numeric", month: "short" }).format(at(when));

export const longDate = (when: number | string, zone: string) =>
  formatter(zone, { day: "numeric", month: "short", year: "numeric" }).format(at(when));

export const weekdayDate = (when: number | string, zone: string) =>
  formatter(zone, { weekday: "short", day: "numeric", month: "short" }).format(at(when));

export const dateTime = (when: number | string, zone: string) =>
  formatter(zone, { dateStyle: "medium", timeStyle: "short" }).format(at(when));

/** A calendar date of the organisation, such as "2026-03-01": it has no zone. */
export const calendarDate = (date: string, options: Intl.DateTimeFormatOptions = { dateStyle: "medium" }) =>
  formatter("UTC", options).format(Date.parse(`${date}T00:00:00Z`));
