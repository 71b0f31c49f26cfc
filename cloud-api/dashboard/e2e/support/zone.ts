/**
 * A time zone in which it is about noon, so that no test meets midnight or the start of work. The zones' names count
 * westwards.
 */
export function noonZone(now = new Date()): string {
  const behind = now.getUTCHours() - 12;
  return `Etc/GMT${behind < 0 ? "-" : "+"}${Math.abs(behind)}`;
}

export const ZONE = noonZone();
