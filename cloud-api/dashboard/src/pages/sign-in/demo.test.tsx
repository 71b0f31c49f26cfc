import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { http, HttpResponse } from "msw";
import { beforeEach, expect, it, vi } from "vitest";
import DailyPage from "@/pages/daily/DailyPage";
import DevicePage from "@/pages/device/DevicePage";
import { show } from "@/testing/render";
import { refusal, server, tokens, url } from "@/testing/server";
import SignInPage from "./SignInPage";

vi.mock("@/app/features", () => ({ features: { google: true, ask: true, demo: true }, styleNonce: () => "" }));

beforeEach(() => server.use(http.get(url("/api/attendance/me"), () => refusal(404, "not_enrolled", "Not known."))));

it("lets a visitor of a demonstration in with one click, and says that it is one", async () => {
  const asked: unknown[] = [];
  server.use(
    http.post(url("/api/auth/login"), async ({ request }) => {
      asked.push(await request.json());
      return HttpResponse.json(tokens("demo"));
    }),
  );
  show(<SignInPage />, { who: null });
  expect(screen.getByText(/nothing that you do here is stored/)).toBeTruthy();
  expect(screen.queryByLabelText("Password", { selector: "input" })).toBeNull();
  await userEvent.click(screen.getByRole("button", { name: "Enter as manager" }));
  await waitFor(() => expect(asked).toEqual([{ email: "manager@demo.example", password: "a demonstration" }]));
});

it("signs in no devices", () => {
  show(<DevicePage />);
  expect(screen.getByText(/it signs in no devices/)).toBeTruthy();
  expect(screen.queryByLabelText("Code")).toBeNull();
});

it("hides the webcam, and sends the recording that the server has", async () => {
  const sent: string[] = [];
  const decision = { status: "present", message: "Mara 9:15 AM, Confidence 97%, Liveness OK", reason: null, alternatives: [] };
  server.use(
    http.get(url("/demos/demo.mp4"), () => HttpResponse.arrayBuffer(new Uint8Array([1, 2, 3]).buffer)),
    http.post(url("/api/attendance/mark-attendance"), async ({ request }) => {
      sent.push(await request.text());
      return HttpResponse.json(decision);
    }),
  );
  show(<DailyPage />);
  expect(screen.queryByText("With the camera")).toBeNull();
  await userEvent.click(screen.getByRole("button", { name: "Send the demo recording" }));
  expect((await screen.findAllByText(decision.message)).length).toBeGreaterThan(0);
  expect(sent.length).toBe(1);
  expect(sent[0]).toMatch(/name="video".*\r\nContent-Type: video\/mp4/s);
});
