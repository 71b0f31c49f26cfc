/**
 * A time zone in which it is about noon, so that no test meets midnight or the start of work. The zones' names count
 * westwards.
 */
export function noonZone(now = new Date()): string {
  const behind = now.getUTCHours() - 12;
  return `Etc/GMT${behind < 0 ? "-" : "+"}${Math.abs(behind)}`;
}

/** One zone for the whole run: workers are processes that start at any time, and an hour may have passed. */
export const ZONE = (process.env.WAW_E2E_ZONE ??= noonZone());
