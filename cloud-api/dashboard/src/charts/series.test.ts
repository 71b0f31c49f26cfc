import { describe, expect, it } from "vitest";
import type { HistoryItem } from "@/api/types";
import { intervals, rateOf, steps } from "./series";
import { hourTicks, thinned } from "./ticks";
import { usualBand } from "./usual";

const START = Date.parse("2026-03-02T08:00:00Z");
const MINUTE = 60_000;

const minute = (at: number, blinks: number, observed = MINUTE): HistoryItem => ({
  from_timestamp: new Date(START + at * MINUTE).toISOString(),
  to_timestamp: new Date(START + (at + 1) * MINUTE).toISOString(),
  blink_count: blinks,
  observed_ms: observed,
  blinks_per_minute: rateOf(blinks, observed),
  coverage: observed / MINUTE,
  quality: observed >= 10_000 ? "good" : "insufficient",
});

describe("steps", () => {
  const items = [minute(0, 12), minute(1, 18, 30_000), minute(25, 10)];
  const points = steps(items, START, START + 40 * MINUTE, 10 * MINUTE);

  it("rates over observed time, not over the clock", () => {
    expect(points[0]).toMatchObject({ blinks: 30, observedMs: 90_000, rate: 20 });
    expect(points[0]!.coverage).toBeCloseTo(0.15);
  });

  it("leaves a gap where nothing was observed, never zero", () => {
    expect(points.map(({ rate }) => rate)).toEqual([20, null, 10, null]);
    expect(points[1]).toMatchObject({ blinks: 0, observedMs: 0, coverage: 0 });
  });

  it("draws an observed time without blinks as zero", () => {
    expect(steps([minute(0, 0)], START, START + 10 * MINUTE, 10 * MINUTE)[0]!.rate).toBe(0);
  });

  it("counts coverage of the running step over what has passed of it", () => {
    const [point] = steps([minute(0, 10)], START, START + 10 * MINUTE, 10 * MINUTE, START + 2 * MINUTE);
    expect(point!.coverage).toBe(0.5);
  });
});

describe("rateOf", () => {
  it.each([
    [10, 60_000, 10],
    [1, 10_000, 6],
    [1, 9_999, null],
    [0, 0, null],
  ])("%i blinks in %i ms", (blinks, observed, expected) => expect(rateOf(blinks, observed)).toBe(expected));
});

it("keeps the server's days, with the missing ones as gaps", () => {
  const day = { ...minute(0, 500, 3_600_000), coverage: 0.2 };
  const points = intervals([day], [START, START + 23 * 60 * MINUTE, START + 47 * 60 * MINUTE]);
  expect(points.map(({ rate, coverage }) => [rate && Math.round(rate), coverage])).toEqual([
    [8, 0.2],
    [null, 0],
  ]);
});

describe("usualBand", () => {
  const hours = [8, 10, 12, 14, 16, 18, 20, 22].map((blinks, n) => minute(n, blinks * 10, 10 * MINUTE));

  it("is the middle half of one's own rates", () => {
    expect(usualBand(hours)).toEqual({ low: 10, high: 18 });
  });

  it("is unknown until there is enough to tell", () => {
    expect(usualBand(hours.slice(0, 4))).toBeNull();
    expect(usualBand(hours.map((item) => ({ ...item, observed_ms: 1_000 })))).toBeNull();
  });
});

it("has no more ticks than fit", () => {
  expect(hourTicks(START, START + 24 * 60 * MINUTE)).toHaveLength(9);
  expect(hourTicks(START, START + 8 * 60 * MINUTE)).toHaveLength(9);
  expect(thinned(Array.from({ length: 32 }, (_, n) => n))).toEqual([0, 4, 8, 12, 16, 20, 24, 28]);
});
