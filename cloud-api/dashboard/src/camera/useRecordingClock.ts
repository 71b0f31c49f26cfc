import { useEffect, useState } from "react";
import type { ChallengeState } from "./useChallenge";

/** Milliseconds since the recording's first frame, for the dot and the progress. */
export function useRecordingClock(state: ChallengeState): number {
  const [at, setAt] = useState(0);
  const startedAt = state.step === "recording" ? state.startedAt : null;
  useEffect(() => {
    if (startedAt === null) return;
    let frame = 0;
    const tick = () => {
      setAt(performance.now() - startedAt);
      frame = requestAnimationFrame(tick);
    };
    tick();
    return () => cancelAnimationFrame(frame);
  }, [startedAt]);
  return startedAt === null ? 0 : at;
}
