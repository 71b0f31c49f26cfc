import { http, HttpResponse } from "msw";
import { setupServer } from "msw/node";
import type { User } from "@/api/types";

export const ORIGIN = "http://localhost";

export const user: User = {
  id: "0190a000-0000-7000-8000-000000000001",
  email: "ada@example.org",
  name: "Ada Lovelace",
  role: "member",
  timezone: "Europe/Berlin",
  created_at: "2026-01-01T00:00:00Z",
};

export const tokens = (access_token = "access-1", who = user) => ({
  access_token,
  expires_in: 900,
  token_type: "Bearer",
  user: who,
});

/** The server's one form of every failure. */
export const refusal = (status: number, code: string, message: string, fields?: Record<string, string>) =>
  HttpResponse.json({ error: { code, message, fields, request_id: "0190-request" } }, { status });

export const url = (path: string) => `${ORIGIN}${path}`;

const text = (name: string) => ({ version: "1", text: `What ${name} means.\n\nYour choice.` });

export const server = setupServer(
  http.get(url("/api/consents"), () =>
    HttpResponse.json({ tracking: text("tracking"), team: text("team"), biometric: text("biometric") }),
  ),
);
