import { MINUTE_MS } from "./minutes.ts";

export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

/** Hours that the tests' zone is behind UTC: there it is about noon. */
const BEHIND_H = new Date().getUTCHours() - 12;

/** An hour of a day in the tests' zone, so many days ago. */
export function hourOf(daysAgo: number, hour: number): number {
  const midnight = Math.floor((Date.now() - BEHIND_H * HOUR_MS) / DAY_MS) * DAY_MS + BEHIND_H * HOUR_MS;
  return midnight - daysAgo * DAY_MS + hour * HOUR_MS;
}

/** Its date in the tests' zone. */
export const dateOf = (at: number) => new Date(at - BEHIND_H * HOUR_MS).toISOString().slice(0, 10);
