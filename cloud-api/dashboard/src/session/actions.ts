import { api, unwrap } from "@/api/client";
import { ApiError } from "@/api/error";
import type { TokenResponse } from "@/api/types";
import { noteErasure } from "./fetch";
import { getSession, setSession, userOf } from "./store";
import { keepAccess, refresh } from "./tokens";

const OTHER_TABS = "waw-session";
const channel = typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel(OTHER_TABS);

function begin({ access_token, user }: TokenResponse): void {
  keepAccess(access_token);
  noteErasure(false);
  setSession({ status: "active", user });
}

/** Asks with the cookie whether this browser has a session. */
export async function restore(): Promise<void> {
  try {
    begin(await refresh());
  } catch (error) {
    const nobody = error instanceof ApiError && error.status === 401;
    setSession(nobody ? { status: "anonymous" } : { status: "unknown", reason: error });
  }
}

export async function signIn(email: string, password: string): Promise<void> {
  begin(await unwrap(api.POST("/api/auth/login", { body: { email, password } })));
}

export interface SignUp {
  email: string;
  password: string;
  name: string;
  consentVersion: string;
}

export async function signUp({ email, password, name, consentVersion }: SignUp): Promise<void> {
  const body = {
    email,
    password,
    name: name.trim() || null,
    timezone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    consent: { tracking: true as const, version: consentVersion },
  };
  begin(await unwrap(api.POST("/api/auth/register", { body })));
}

/** Ends the session here; the server is told, and so are the other tabs. */
export async function signOut(): Promise<void> {
  try {
    await unwrap(api.POST("/api/auth/logout"));
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 401) throw error;
  }
  forget();
  channel?.postMessage("signed-out");
}

export function forget(): void {
  keepAccess(null);
  setSession({ status: "anonymous" });
}

channel?.addEventListener("message", () => {
  const user = userOf(getSession());
  keepAccess(null);
  if (user) setSession({ status: "ended", user });
});
