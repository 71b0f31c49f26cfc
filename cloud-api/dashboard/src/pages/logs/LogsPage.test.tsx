import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { http, HttpResponse } from "msw";
import { expect, it, vi } from "vitest";
import { show } from "@/testing/render";
import { refusal, server, url, user } from "@/testing/server";
import LogsPage from "./LogsPage";

const saved = vi.hoisted(() => vi.fn());
vi.mock("@/shared/download", () => ({ download: saved }));

const evil = `<img src=x onerror="document.title='hacked'">`;
const record = {
  id: "ada", record_id: "r1", name: evil, date: "2026-03-02", time: "09:21:00", status: "late", source: "face",
  confidence: 97, liveness_verified: true, session_id: null,
  corrections: [
    { at: "2026-03-02T10:00:00Z", reason: "The bus", status_before: "late", status_after: "present", time_before: null, time_after: null, made_by: null },
  ],
};
const list = (items: unknown[]) => http.get(url("/api/attendance/get-attendance"), () => HttpResponse.json({ items, next_cursor: null }));
const manager = { ...user, role: "manager" as const };

it("shows a name that is a script as text", async () => {
  server.use(list([record]), http.get(url("/api/attendance/people"), () => HttpResponse.json({ items: [], next_cursor: null })));
  show(<LogsPage />, { path: "/logs", who: manager });
  expect(await screen.findByText(evil)).toBeTruthy();
  expect(document.querySelector("td img")).toBeNull();
});

it("shows a member their own days with the trail of corrections, and nothing to correct", async () => {
  server.use(list([record]));
  show(<LogsPage />, { path: "/logs" });
  expect(await screen.findByText("Face, 97 %, alive")).toBeTruthy();
  expect(screen.queryByRole("button", { name: /^Correct/ })).toBeNull();
  await userEvent.click(screen.getByRole("button", { name: "1 correction" }));
  expect(await screen.findByText("“The bus”")).toBeTruthy();
});

it("asks the server for the file, with the same filters", async () => {
  server.use(
    list([]),
    http.get(url("/api/attendance/get-attendance"), ({ request }) => {
      if (!request.headers.get("Accept")?.includes("text/csv")) return HttpResponse.json({ items: [], next_cursor: null });
      expect(new URL(request.url).searchParams.get("date_from")).toBe("2026-03-01");
      return new HttpResponse("Date,Time\r\n", { headers: { "Content-Type": "text/csv" } });
    }),
  );
  show(<LogsPage />, { path: "/logs?from=2026-03-01" });
  await userEvent.click(await screen.findByRole("button", { name: "Export CSV" }));
  await waitFor(() => expect(saved).toHaveBeenCalledWith("attendance_2026-03-01.csv", expect.anything()));
});

it("says what to do when there is nothing, and when it fails", async () => {
  server.use(list([]));
  const { unmount } = show(<LogsPage />, { path: "/logs" });
  expect(await screen.findByText("No record here")).toBeTruthy();
  unmount();
  server.use(http.get(url("/api/attendance/get-attendance"), () => refusal(403, "forbidden", "This needs the role manager.")));
  show(<LogsPage />, { path: "/logs?user=grace" });
  expect(await screen.findByText("Ask an admin of your organisation if you should see this.")).toBeTruthy();
});
