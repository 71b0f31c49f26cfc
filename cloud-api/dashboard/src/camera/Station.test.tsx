import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, it, vi } from "vitest";
import type { MarkResponse } from "@/api/types";
import { show } from "@/testing/render";
import { DecisionView } from "./DecisionView";
import { Station } from "./Station";

const decision: MarkResponse = {
  id: "ada", name: "Ada", date: "2026-03-02", time: "09:15:00", status: "present", confidence: 97,
  liveness_verified: true, session_id: null, message: "Ada 9:15 AM, Confidence 97%, Liveness OK", reason: null, alternatives: [],
};

const withCamera = (getUserMedia: () => Promise<MediaStream>) => {
  Object.defineProperty(window, "isSecureContext", { value: true, configurable: true });
  Object.defineProperty(navigator, "mediaDevices", { value: { getUserMedia }, configurable: true });
};

afterEach(() => Reflect.deleteProperty(navigator, "mediaDevices"));

it("opens no camera by itself", () => {
  const asked = vi.fn();
  withCamera(asked);
  show(<Station />);
  expect(asked).not.toHaveBeenCalled();
  expect(screen.getByText("The camera is closed")).toBeTruthy();
});

it.each([
  ["NotAllowedError", "The camera is refused to this page"],
  ["NotFoundError", "No camera was found"],
  ["NotReadableError", "Another program uses the camera"],
])("explains %s, with the other ways", async (name, title) => {
  withCamera(() => Promise.reject(new DOMException("", name)));
  show(<Station />);
  await userEvent.click(screen.getByRole("button", { name: "Open the camera" }));
  expect(await screen.findByText(title)).toBeTruthy();
  expect(screen.getByText(/your PIN, your QR code and your manager/)).toBeTruthy();
});

it("closes the camera that opens after the page was left", async () => {
  const stop = vi.fn();
  let answer: (stream: MediaStream) => void = () => undefined;
  withCamera(() => new Promise((resolve) => (answer = resolve)));
  const { unmount } = show(<Station immediate />);
  unmount();
  answer({ getTracks: () => [{ stop }] } as unknown as MediaStream);
  await vi.waitFor(() => expect(stop).toHaveBeenCalled());
});

it("says a decision in words, with name, time, confidence and liveness", () => {
  show(<DecisionView decision={decision} />);
  for (const text of ["Ada: You are marked, in time", "09:15", "97 %", "proved"]) expect(screen.getByText(text)).toBeTruthy();
});

it("says why somebody was refused, and that it costs nothing", () => {
  show(<DecisionView decision={{ ...decision, name: null, status: "liveness_failed", reason: "no_blink", alternatives: ["pin", "manager"] }} />);
  expect(screen.getByRole("alert").textContent).toContain("No blink was seen");
  expect(screen.getByText(/Nothing counts against you. Open to you now: your PIN, your manager/)).toBeTruthy();
});
