import { type RefObject, useEffect, useState } from "react";
import type { Finder } from "./finder";
import { type Guidance, guide } from "./guidance";

const EVERY_MS = 350;
const WAITING: Guidance = { words: "Hold your face in the oval", good: false };

/** Words about what the camera sees, a few times a second. Without the finder they say what to do and no more. */
export function useGuidance(video: RefObject<HTMLVideoElement | null>, on: boolean): Guidance {
  const [guidance, setGuidance] = useState(WAITING);
  useEffect(() => {
    if (!on) return;
    let finder: Finder | null = null;
    let over = false;
    void import("./finder")
      .then(({ createFinder }) => createFinder())
      .then((made) => (finder = made))
      .catch(() => undefined);
    const timer = window.setInterval(() => {
      const seen = video.current;
      if (over || !finder || !seen?.videoWidth) return;
      const next = guide(finder.look(seen));
      setGuidance((before) => (before.words === next.words ? before : next));
    }, EVERY_MS);
    return () => {
      over = true;
      window.clearInterval(timer);
    };
  }, [video, on]);
  return on ? guidance : WAITING;
}
