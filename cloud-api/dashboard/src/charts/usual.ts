import type { HistoryItem } from "@/api/types";

export interface Band {
  low: number;
  high: number;
}

/** Intervals with less observed time than this say little about what is usual. */
const LEAST_MS = 5 * 60_000;
const LEAST_INTERVALS = 5;

function quantile(sorted: { rate: number; weight: number }[], share: number): number {
  const total = sorted.reduce((sum, { weight }) => sum + weight, 0);
  let passed = 0;
  for (const { rate, weight } of sorted) {
    passed += weight;
    if (passed >= share * total) return rate;
  }
  return sorted.at(-1)!.rate;
}

/** The middle half of one's own rates, weighted by observed time; null until there is enough to tell. */
export function usualBand(items: HistoryItem[]): Band | null {
  const sorted = items
    .filter((item) => item.blinks_per_minute !== null && item.observed_ms >= LEAST_MS)
    .map((item) => ({ rate: item.blinks_per_minute!, weight: item.observed_ms }))
    .sort((a, b) => a.rate - b.rate);
  if (sorted.length < LEAST_INTERVALS) return null;
  return { low: quantile(sorted, 0.25), high: quantile(sorted, 0.75) };
}
