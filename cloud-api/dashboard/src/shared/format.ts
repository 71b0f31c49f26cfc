/** Figures as people read them. Unknown is a dash, never zero. */

export const UNKNOWN = "–";

const oneDigit = new Intl.NumberFormat(undefined, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const whole = new Intl.NumberFormat();

export const count = (value: number): string => whole.format(value);

export const rate = (value: number | null | undefined): string => (value == null ? UNKNOWN : oneDigit.format(value));

export const percent = (share: number | null | undefined): string => {
  if (share == null) return UNKNOWN;
  const value = share * 100;
  return `${value > 0 && value < 1 ? "< 1" : Math.round(value)} %`;
};

export const pct = (value: number | null | undefined): string =>
  value == null ? UNKNOWN : `${oneDigit.format(value)} %`;

export function duration(ms: number): string {
  if (ms > 0 && ms < 59_500) return `${Math.round(ms / 1_000)} s`;
  const minutes = Math.round(ms / 60_000);
  if (minutes < 60) return `${minutes} min`;
  return minutes % 60 === 0 ? `${minutes / 60} h` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

export const plural = (n: number, one: string, many = `${one}s`): string => `${count(n)} ${n === 1 ? one : many}`;

export function bytes(n: number): string {
  return n < 1_000_000 ? `${Math.ceil(n / 1_000)} kB` : `${oneDigit.format(n / 1_000_000)} MB`;
}
