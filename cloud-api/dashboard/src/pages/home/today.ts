import type { HistoryItem } from "@/api/types";
import { type Sums, rateOf, sums } from "@/charts/series";
import { MINUTE_MS } from "@/shared/zone";

const NOW_MS = 5 * MINUTE_MS;
/** A minute is sealed and uploaded a little after its end. */
const ON_ITS_WAY_MS = 2 * MINUTE_MS;

export interface Rate extends Sums {
  rate: number | null;
}

export interface Today extends Rate {
  /** Observed part of the day until now. */
  coverage: number;
  now: Rate;
  last: HistoryItem | undefined;
}

const withRate = (sum: Sums): Rate => ({ ...sum, rate: rateOf(sum.blinks, sum.observedMs) });

export function summary(items: HistoryItem[], dayStart: number, now: number): Today {
  const recent = items.filter((item) => Date.parse(item.from_timestamp) >= now - NOW_MS - ON_ITS_WAY_MS);
  const whole = withRate(sums(items));
  const coverage = Math.min(1, whole.observedMs / Math.max(1, now - dayStart));
  return { ...whole, coverage, now: withRate(sums(recent.slice(-NOW_MS / MINUTE_MS))), last: items.at(-1) };
}
