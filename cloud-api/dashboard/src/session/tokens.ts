import { apiErrorOf, unreachable } from "@/api/error";
import type { TokenResponse } from "@/api/types";

/** The access token lives in this page's memory alone; the refresh token is a cookie that no script reads. */
let access: string | null = null;

export const accessToken = () => access;

export function keepAccess(token: string | null): void {
  access = token;
}

/** Sends without a session's token. */
export async function plainFetch(request: Request): Promise<Response> {
  request.headers.set("X-WAW-Client", "web");
  try {
    return await fetch(request, { cache: "no-store", credentials: "same-origin", referrerPolicy: "no-referrer" });
  } catch (error) {
    if (request.signal.aborted) throw error;
    throw unreachable();
  }
}

async function exchange(): Promise<TokenResponse> {
  const request = new Request(new URL("/api/auth/refresh", window.location.origin), { method: "POST" });
  const response = await plainFetch(request);
  const body: unknown = await response.json().catch(() => undefined);
  if (!response.ok) throw apiErrorOf(response, body);
  const answer = body as TokenResponse;
  keepAccess(answer.access_token);
  return answer;
}

let running: Promise<TokenResponse> | null = null;

async function exchangeAlone(): Promise<TokenResponse> {
  const locks = navigator.locks as LockManager | undefined;
  return locks ? await locks.request("waw-refresh", exchange) : await exchange();
}

/**
 * A new access token. One exchange at a time, in this page and across all tabs: a refresh token that is used twice ends
 * the session.
 */
export function refresh(): Promise<TokenResponse> {
  running ??= exchangeAlone().finally(() => {
    running = null;
  });
  return running;
}
