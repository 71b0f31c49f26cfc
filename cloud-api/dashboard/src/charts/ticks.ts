import { HOUR_MS } from "@/shared/zone";

const STEPS_H = [1, 2, 3, 4, 6, 12, 24];
const MOST = 9;

/** Full hours, no more than fit. */
export function hourTicks(from: number, to: number): number[] {
  const hours = (to - from) / HOUR_MS;
  const step = (STEPS_H.find((each) => hours / each <= MOST) ?? 24) * HOUR_MS;
  const ticks: number[] = [];
  for (let at = from; at <= to; at += step) ticks.push(at);
  return ticks;
}

/** Some of these instants, evenly chosen, no more than fit. */
export function thinned(all: number[], most = MOST): number[] {
  const every = Math.max(1, Math.ceil(all.length / most));
  return all.filter((_, n) => n % every === 0);
}
