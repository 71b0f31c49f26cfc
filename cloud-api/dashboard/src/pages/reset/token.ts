let taken: string | null = null;

/** The token of the link, which is then taken out of the address. */
export function takeToken(): string {
  const token = window.location.hash.slice(1);
  if (token) {
    taken = token;
    window.history.replaceState(window.history.state, "", window.location.pathname);
  }
  return taken ?? "";
}
