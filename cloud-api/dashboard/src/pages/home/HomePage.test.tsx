import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { delay, http, HttpResponse } from "msw";
import { beforeEach, describe, expect, it } from "vitest";
import { show } from "@/testing/render";
import { refusal, server, url, user } from "@/testing/server";
import HomePage from "./HomePage";
import { summary } from "./today";

const now = Math.floor(Date.now() / 60_000) * 60_000;
const minute = (ago: number, blink_count: number, observed_ms = 60_000) => ({
  from_timestamp: new Date(now - ago * 60_000).toISOString(),
  to_timestamp: new Date(now - (ago - 1) * 60_000).toISOString(),
  blink_count,
  observed_ms,
  blinks_per_minute: blink_count,
  coverage: 1,
  quality: "good" as const,
});

const insights = {
  baseline_blinks_per_minute: 11.5,
  blinks_per_minute: 12.1,
  change_percent: -0.3,
  coverage: 0.6,
  direction: "steady",
  comparison: { verdict: "steady", why: null, change_percent: -0.3, interval_percent: [-4, 3.5] },
  hours: [],
  best_hour: null,
  worst_hour: null,
  observed_ms: 7_200_000,
  text: ["In the last seven days you blinked 12.1 times a minute."],
};
const analytics = { date_to: "2026-03-02", daily: [] };

const history = (items: unknown[]) => http.get(url("/api/user/me/blinks"), () => HttpResponse.json({ items, next_cursor: null }));

beforeEach(() =>
  server.use(
    http.get(url("/api/user/me/insights"), () => HttpResponse.json(insights)),
    http.get(url("/api/user/me/devices"), () => HttpResponse.json({ items: [] })),
    http.get(url("/api/attendance/get-analytics"), () => HttpResponse.json(analytics)),
    http.get(url("/api/attendance/get-attendance"), () => HttpResponse.json({ items: [], next_cursor: null })),
    http.get(url("/api/attendance/me"), () => refusal(404, "not_enrolled", "The desk does not know you.")),
    http.get(url("/api/attendance/people"), () => HttpResponse.json({ items: [], next_cursor: null })),
  ),
);

describe("Home", () => {
  it("tells somebody without data what to install, with this server's address", async () => {
    server.use(history([]));
    show(<HomePage />);
    expect(await screen.findByText(`blinkctl login --device --server ${window.location.origin}`)).toBeTruthy();
  });

  it("shows today's rate with what it is over", async () => {
    server.use(history([minute(3, 14), minute(2, 10, 30_000)]));
    show(<HomePage />);
    const figure = (await screen.findByText("Rate today")).closest("div")!;
    expect(within(figure).getByText(/16\.0/)).toBeTruthy();
    expect(within(figure).getByText("over 2 min observed")).toBeTruthy();
    expect((await screen.findAllByText("±0 %")).length).toBe(1);
  });

  it("shows the week of a server of before, which compares nothing", async () => {
    const before = { ...insights, comparison: undefined };
    server.use(history([minute(3, 14)]), http.get(url("/api/user/me/insights"), () => HttpResponse.json(before)));
    show(<HomePage />);
    expect(await screen.findByText("cannot be told")).toBeTruthy();
  });

  it("opens a figure to its minutes, device and program", async () => {
    const device = { device_id: "0190-1234abcd", first_seen_at: new Date(now).toISOString(), last_seen_at: new Date(now).toISOString(), session_id: null };
    const devices = { items: [{ ...device, user_agent: "blinkd/0.1.0" }, { ...device, device_id: "old", last_seen_at: "2026-01-01T00:00:00Z" }] };
    server.use(history([minute(3, 14)]), http.get(url("/api/user/me/devices"), () => HttpResponse.json(devices)));
    show(<HomePage />);
    await userEvent.click(await screen.findByRole("button", { name: "Where “Rate today” comes from" }));
    const dialog = await screen.findByRole("dialog");
    expect(await within(dialog).findByText(/Last sent by device …1234abcd with blinkd 0\.1\.0/)).toBeTruthy();
    expect(within(dialog).getAllByText(/^Last sent by/).length).toBe(1);
    expect(within(dialog).getByText(/14 blinks ÷ 1 min observed/)).toBeTruthy();
  });

  it("says that it is loading", async () => {
    server.use(http.get(url("/api/user/me/blinks"), () => delay("infinite")));
    show(<HomePage />);
    expect((await screen.findAllByRole("status", { name: "Loading" })).length).toBeGreaterThan(0);
  });

  it("says what to do when the server fails, with the request's number", async () => {
    server.use(http.get(url("/api/user/me/blinks"), () => refusal(500, "internal", "Something went wrong here.")));
    show(<HomePage />);
    expect(await screen.findByText("Something went wrong here.")).toBeTruthy();
    expect(screen.getByText("Request 0190-request")).toBeTruthy();
    expect(screen.getByRole("button", { name: "Try again now" })).toBeTruthy();
  });

  it("shows a manager who is here", async () => {
    const here = { id: "grace", record_id: "r", name: "Grace", date: "2026-03-02", time: "08:58:00", status: "present", corrections: [] };
    server.use(
      history([]),
      http.get(url("/api/attendance/get-attendance"), () => HttpResponse.json({ items: [here], next_cursor: null })),
    );
    show(<HomePage />, { who: { ...user, role: "manager" } });
    const list = await screen.findByRole("list", { name: "Who is here now" });
    expect(within(list).getByText("since 08:58")).toBeTruthy();
  });
});

it("knows no rate now when nothing was observed lately", () => {
  const { now: recent, rate } = summary([minute(60, 12)], now - 3_600_000 * 9, now);
  expect([recent.rate, rate]).toEqual([null, 12]);
});
