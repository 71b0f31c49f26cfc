import { useEffect, useRef } from "react";

const IDLE_MS = 75_000;
const SIGNS = ["pointerdown", "keydown"] as const;

/** Calls back when nobody touched the tablet for a while, so that no half-filled form waits for the next person. */
export function useIdle(on: boolean, back: () => void): void {
  const latest = useRef(back);
  useEffect(() => {
    latest.current = back;
  });
  useEffect(() => {
    if (!on) return;
    let timer = 0;
    const again = () => {
      window.clearTimeout(timer);
      timer = window.setTimeout(() => latest.current(), IDLE_MS);
    };
    again();
    for (const sign of SIGNS) window.addEventListener(sign, again);
    return () => {
      window.clearTimeout(timer);
      for (const sign of SIGNS) window.removeEventListener(sign, again);
    };
  }, [on]);
}
