import type { Clip } from "./clip.ts";

/** At an instant of the recording a frame of the clip is shown. */
interface Anchor {
  at: number;
  frame: number;
}

/** How long after its cue a blink begins. */
const REACTION_MS = 700;
/** Frames around a blink that keep its own speed. */
const AROUND = 4;

/**
 * When to show which frame, so that one of the clip's blinks follows each cue. Between blinks the clip goes faster or
 * slower; a blink itself has its own speed.
 */
export function anchors(clip: Clip, cuesMs: number[], lengthMs: number): Anchor[] {
  const frameMs = 1_000 / clip.fps;
  const made: Anchor[] = [{ at: 0, frame: 0 }];
  cuesMs.forEach((cue, n) => {
    const [first, last] = clip.blinks[n]!;
    const at = cue + REACTION_MS - AROUND * frameMs;
    made.push({ at, frame: first - AROUND });
    made.push({ at: at + (last - first + 2 * AROUND) * frameMs, frame: last + AROUND });
  });
  made.push({ at: lengthMs, frame: clip.blinks[cuesMs.length]![0] - AROUND });
  return made;
}

export function frameAt(all: Anchor[], at: number): number {
  const next = all.find((anchor) => anchor.at > at);
  if (!next) return all.at(-1)!.frame;
  const before = all[all.indexOf(next) - 1]!;
  return Math.floor(before.frame + ((at - before.at) / (next.at - before.at)) * (next.frame - before.frame));
}
