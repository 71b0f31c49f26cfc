/** How long the dot of a cue is seen. */
export const SHOWN_MS = 700;

/** The number of the cue that is shown at an instant of the recording; null between cues. */
export function cueAt(cuesMs: number[], atMs: number): number | null {
  const found = cuesMs.findIndex((cue) => cue <= atMs && atMs < cue + SHOWN_MS);
  return found === -1 ? null : found;
}

export const cuesPassed = (cuesMs: number[], atMs: number): number => cuesMs.filter((cue) => cue <= atMs).length;
