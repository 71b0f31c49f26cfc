import { describe, expect, it } from "vitest";
import { addDays, dayOf, HOUR_MS, isoDay, mondayOf, parseDay, startOf } from "./zone";

const hours = (date: string, zone: string) => {
  const day = parseDay(date)!;
  return (startOf(addDays(day, 1), zone) - startOf(day, zone)) / HOUR_MS;
};

describe("days of a zone", () => {
  it.each([
    ["2026-03-28", "Europe/Berlin", 24],
    ["2026-03-29", "Europe/Berlin", 23],
    ["2026-10-25", "Europe/Berlin", 25],
    ["2026-06-01", "Asia/Kolkata", 24],
    ["2026-10-04", "Australia/Lord_Howe", 23.5],
  ])("%s in %s has %f hours", (date, zone, expected) => expect(hours(date, zone)).toBe(expected));

  it("begin at local midnight", () => {
    expect(new Date(startOf(parseDay("2026-07-01")!, "America/New_York")).toISOString()).toBe("2026-07-01T04:00:00.000Z");
    expect(new Date(startOf(parseDay("2026-01-01")!, "Pacific/Kiritimati")).toISOString()).toBe("2025-12-31T10:00:00.000Z");
  });

  it("hold the instant that they hold", () => {
    expect(isoDay(dayOf(Date.parse("2026-03-01T23:30:00Z"), "Europe/Berlin"))).toBe("2026-03-02");
    expect(isoDay(dayOf(Date.parse("2026-03-01T23:30:00Z"), "America/Los_Angeles"))).toBe("2026-03-01");
  });
});

it("weeks begin on Monday", () => {
  expect(isoDay(mondayOf(parseDay("2026-11-29")!))).toBe("2026-11-23");
  expect(isoDay(mondayOf(parseDay("2026-11-23")!))).toBe("2026-11-23");
});

it.each(["2026-02-30", "26-02-01", "", "2026-13-01", "tomorrow"])("takes %j for no day", (text) => {
  expect(parseDay(text)).toBeNull();
});
