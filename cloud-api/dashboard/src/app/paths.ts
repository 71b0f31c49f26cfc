/** Every address of the dashboard. */
export const paths = {
  home: "/",
  signIn: "/sign-in",
  signUp: "/sign-up",
  device: "/device",
  reset: "/reset",
  history: "/history",
  daily: "/daily",
  kiosk: "/kiosk",
  logs: "/logs",
  analytics: "/analytics",
  gamification: "/gamification",
  team: "/team",
  account: "/account",
  admin: "/admin",
  ask: "/ask",
} as const;

/** The sign-in page that leads back to where somebody wanted to go. */
export function signInFor(target: string): string {
  return target === paths.home ? paths.signIn : `${paths.signIn}?next=${encodeURIComponent(target)}`;
}

/** An address of this site out of `?next=`; anything else is Home, so that no link leads elsewhere. */
export function safeNext(next: string | null): string {
  if (!next?.startsWith("/") || /[\\\s]/.test(next)) return paths.home;
  const url = new URL(next, window.location.origin);
  if (next.startsWith("//") || url.origin !== window.location.origin) return paths.home;
  return url.pathname + url.search;
}
