/** Minutes become points. What was not observed stays unknown: a point without a rate, drawn as a gap. */

import type { HistoryItem } from "@/api/types";

export interface RatePoint {
  from: number;
  to: number;
  /** The middle, where the point is drawn. */
  at: number;
  blinks: number;
  observedMs: number;
  /** Blinks per minute, null where too little was observed. */
  rate: number | null;
  /** Observed part of the interval, 0..1. */
  coverage: number;
}

/** Under this much observed time a rate says nothing. */
export const LEAST_OBSERVED_MS = 10_000;

export const rateOf = (blinks: number, observedMs: number): number | null =>
  observedMs < LEAST_OBSERVED_MS ? null : (60_000 * blinks) / observedMs;

export interface Sums {
  blinks: number;
  observedMs: number;
}

export function sums(items: HistoryItem[]): Sums {
  const blinks = items.reduce((sum, item) => sum + item.blink_count, 0);
  const observedMs = items.reduce((sum, item) => sum + item.observed_ms, 0);
  return { blinks, observedMs };
}

function point(from: number, to: number, { blinks, observedMs }: Sums, coverage: number): RatePoint {
  return { from, to, at: (from + to) / 2, blinks, observedMs, rate: rateOf(blinks, observedMs), coverage };
}

/** Steps of equal length over a range, with a point for each, also where nothing was observed. */
export function steps(items: HistoryItem[], from: number, to: number, stepMs: number, now = to): RatePoint[] {
  const found = new Map<number, HistoryItem[]>();
  for (const item of items) {
    const step = Math.floor((Date.parse(item.from_timestamp) - from) / stepMs);
    found.set(step, [...(found.get(step) ?? []), item]);
  }
  const points: RatePoint[] = [];
  for (let start = from, n = 0; start < to; start += stepMs, n += 1) {
    const end = Math.min(start + stepMs, to);
    const sum = sums(found.get(n) ?? []);
    const passed = Math.min(end, Math.max(now, start + 1)) - start;
    points.push(point(start, end, sum, Math.min(1, sum.observedMs / passed)));
  }
  return points;
}

/** The server's own intervals (days have 23 or 25 hours where clocks change), with the missing ones as gaps. */
export function intervals(items: HistoryItem[], starts: number[]): RatePoint[] {
  const known = new Map(items.map((item) => [Date.parse(item.from_timestamp), item]));
  return starts.slice(0, -1).map((start, n) => {
    const item = known.get(start);
    const sum = item ? { blinks: item.blink_count, observedMs: item.observed_ms } : { blinks: 0, observedMs: 0 };
    return point(start, starts[n + 1]!, sum, item?.coverage ?? 0);
  });
}
