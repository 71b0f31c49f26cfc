import { useEffect, useState } from "react";

/** Often enough for a dot in time, seldom enough that drawing takes no time from the frames. */
const EVERY_MS = 60;

/** Milliseconds since the recording's first frame, for the dot and the progress; 0 while none runs. */
export function useRecordingClock(startedAt: number | null): number {
  const [at, setAt] = useState(0);
  useEffect(() => {
    if (startedAt === null) return;
    const timer = window.setInterval(() => setAt(performance.now() - startedAt), EVERY_MS);
    return () => window.clearInterval(timer);
  }, [startedAt]);
  return startedAt === null ? 0 : at;
}
