import { ApiError, type ErrorEnvelope, sessionEnded } from "@/api/error";
import { getSession, nextSession, type SessionState, setSession, userOf } from "./store";
import { accessToken, keepAccess, plainFetch, refresh } from "./tokens";

/** A 401 from these is an answer, and no reason to renew the session. */
const FINAL = /^\/api\/(auth\/(login|logout|register|reset)|consents$|erasures\/)/;

function attempt(request: Request): Promise<Response> {
  const copy = request.clone();
  const token = accessToken();
  if (token) copy.headers.set("Authorization", `Bearer ${token}`);
  return plainFetch(copy);
}

const settled = (state: SessionState): state is Extract<SessionState, { status: "active" | "anonymous" }> =>
  state.status === "active" || state.status === "anonymous";

let erased = false;

/** After an erasure there is nobody to sign in again: what a page still asks fails quietly. */
export function noteErasure(done: boolean): void {
  erased = done;
}

/** Waits until the person has signed in again, over the page they were on. */
async function signedInAgain(): Promise<void> {
  const before = userOf(getSession());
  if (!before || erased) throw sessionEnded();
  keepAccess(null);
  if (getSession().status !== "ended") setSession({ status: "ended", user: before });
  const next = await nextSession(settled);
  if (next.status !== "active" || next.user.id !== before.id) throw sessionEnded();
}

async function renew(): Promise<void> {
  try {
    await refresh();
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 401) throw error;
    await signedInAgain();
  }
}

async function noteConsent(response: Response): Promise<void> {
  if (response.status !== 403) return;
  const body = (await response.clone().json().catch(() => undefined)) as ErrorEnvelope | undefined;
  const user = userOf(getSession());
  if (body?.error.code === "consent_required" && user) setSession({ status: "consent", user });
}

/** `fetch` with the session's token, renewed once when the server no longer takes it. */
export async function sessionFetch(request: Request): Promise<Response> {
  if (FINAL.test(new URL(request.url).pathname)) return attempt(request);
  let response = await attempt(request);
  if (response.status === 401) {
    await renew();
    response = await attempt(request);
  }
  await noteConsent(response);
  return response;
}
