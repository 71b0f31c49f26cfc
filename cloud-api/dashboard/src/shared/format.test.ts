import { expect, it } from "vitest";
import { duration, percent, plural, rate } from "./format";

it.each([
  [0, "0 min"],
  [4_000, "4 s"],
  [59_600, "1 min"],
  [60_000, "1 min"],
  [3_600_000, "1 h"],
  [13_000_000, "3 h 37 min"],
])("%i ms is %s", (ms, text) => expect(duration(ms)).toBe(text));

it("shows what is unknown as unknown", () => {
  expect(rate(null)).toBe("–");
  expect(percent(null)).toBe("–");
  expect(rate(0)).toBe("0.0");
});

it("does not round a little down to nothing", () => {
  expect(percent(0.002)).toBe("< 1 %");
  expect(percent(0)).toBe("0 %");
  expect(percent(0.5)).toBe("50 %");
});

it("counts in words", () => {
  expect([plural(1, "row"), plural(2, "row"), plural(0, "person", "people")]).toEqual(["1 row", "2 rows", "0 people"]);
});
