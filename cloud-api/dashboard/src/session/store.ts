import { useSyncExternalStore } from "react";
import type { User } from "@/api/types";

export type SessionState =
  | { status: "loading" }
  | { status: "anonymous" }
  /** The server could not be asked whether there is a session. */
  | { status: "unknown"; reason: unknown }
  | { status: "active"; user: User }
  /** The session ended while a page was open: the page stays, and the person signs in over it. */
  | { status: "ended"; user: User }
  /** The account may do nothing before its person has agreed to the text. */
  | { status: "consent"; user: User };

let state: SessionState = { status: "loading" };
const listeners = new Set<() => void>();

export const getSession = () => state;

export function setSession(next: SessionState): void {
  state = next;
  for (const listener of [...listeners]) listener();
}

export function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function useSession(): SessionState {
  return useSyncExternalStore(subscribe, getSession);
}

export function userOf(session: SessionState): User | null {
  return "user" in session ? session.user : null;
}

/** The signed-in person. For pages behind `RequireSession` only. */
export function useUser(): User {
  const user = userOf(useSession());
  if (!user) throw new Error("this page needs a session");
  return user;
}

/** Resolves with the next state that the condition holds for. */
export function nextSession<T extends SessionState>(wanted: (state: SessionState) => state is T): Promise<T> {
  return new Promise((resolve) => {
    const stop = subscribe(() => {
      if (!wanted(state)) return;
      stop();
      resolve(state);
    });
  });
}
