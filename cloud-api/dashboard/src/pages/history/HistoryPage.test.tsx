import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { http, HttpResponse } from "msw";
import { describe, expect, it, vi } from "vitest";
import { show } from "@/testing/render";
import { refusal, server, url } from "@/testing/server";
import { dayStarts, moved, readWindow, windowOf } from "./view";
import HistoryPage from "./HistoryPage";

const saved = vi.hoisted(() => vi.fn());
vi.mock("@/shared/download", () => ({ download: saved }));

const item = (hour: number, coverage: number) => ({
  from_timestamp: `2026-03-02T${String(hour).padStart(2, "0")}:00:00Z`,
  to_timestamp: `2026-03-02T${String(hour + 1).padStart(2, "0")}:00:00Z`,
  blink_count: 600,
  observed_ms: coverage * 3_600_000,
  blinks_per_minute: 12.5,
  coverage,
  quality: "good",
});
const answer = (items: unknown[]) => http.get(url("/api/user/me/blinks"), () => HttpResponse.json({ items, next_cursor: null }));
const PATH = "/history?view=day&date=2026-03-02";

describe("History", () => {
  it("filters, and exports what is shown", async () => {
    server.use(answer([item(9, 0.9), item(10, 0.2)]));
    show(<HistoryPage />, { path: PATH });
    expect(await screen.findByText("2 rows")).toBeTruthy();
    const person = userEvent.setup();
    await person.selectOptions(screen.getByRole("combobox", { name: "Show" }), "Half or more observed");
    expect(await screen.findByText("1 row")).toBeTruthy();
    await person.click(screen.getByRole("button", { name: "Export CSV" }));
    const [name, csv] = saved.mock.calls[0] as [string, string];
    expect(name).toBe("blinks_2026-03-02_day_hour.csv");
    expect(csv.trim().split("\r\n")).toHaveLength(2);
  });

  it("says so where nothing was observed", async () => {
    server.use(answer([]));
    show(<HistoryPage />, { path: PATH });
    expect(await screen.findByText("Nothing was observed here")).toBeTruthy();
  });

  it("explains a failure", async () => {
    server.use(http.get(url("/api/user/me/blinks"), () => refusal(503, "busy", "The database is away.")));
    show(<HistoryPage />, { path: PATH });
    expect((await screen.findAllByText("The database is away.")).length).toBeGreaterThan(0);
  });
});

describe("windows", () => {
  const zone = "Europe/Berlin";
  const day = { year: 2026, month: 3, day: 29 };

  it("of a month hold its days, the short one of the changed clock too", () => {
    const month = windowOf("month", day, zone);
    const starts = dayStarts(month, zone);
    expect(starts).toHaveLength(32);
    expect(starts[29]! - starts[28]!).toBe(23 * 3_600_000);
  });

  it("of a week begin on Monday, and follow each other", () => {
    const week = windowOf("week", day, zone);
    expect(new Date(week.from).toISOString()).toBe("2026-03-22T23:00:00.000Z");
    expect(moved(week, 1, zone).from).toBe(week.to);
    expect(moved(moved(week, -1, zone), 1, zone)).toEqual(week);
  });

  it("take nonsense in the address for today", () => {
    const now = Date.parse("2026-03-02T12:00:00Z");
    expect(readWindow(new URLSearchParams("view=year&date=x"), zone, now)).toEqual(windowOf("day", { year: 2026, month: 3, day: 2 }, zone));
  });
});
