import { useQueryClient } from "@tanstack/react-query";
import { type RefObject, useCallback, useEffect, useRef, useState } from "react";
import type { Challenge, MarkResponse } from "@/api/types";
import { askChallenge, markByRecording } from "./mark";
import { type Recorder, record } from "./recorder";

export type ChallengeState =
  | { step: "ready" }
  | { step: "preparing" }
  | { step: "recording"; challenge: Challenge; startedAt: number }
  | { step: "sending"; bytes: number }
  | { step: "decided"; decision: MarkResponse }
  | { step: "failed"; error: unknown };

/** The page was left or hidden: the browser then takes no frames, and the recording would have a hole. */
export class Interrupted extends Error {}

const wait = (ms: number) => new Promise<void>((resolve) => window.setTimeout(resolve, ms));

/** One try: ask for a challenge, record the answer, send it, forget it. */
export function useChallenge(video: RefObject<HTMLVideoElement | null>) {
  const [state, setState] = useState<ChallengeState>({ step: "ready" });
  const running = useRef<Recorder | null>(null);
  const turn = useRef(0);
  const queries = useQueryClient();

  const cancel = useCallback((next: ChallengeState = { step: "ready" }) => {
    turn.current += 1;
    running.current?.cancel();
    running.current = null;
    setState(next);
  }, []);

  const start = useCallback(async () => {
    const mine = (turn.current += 1);
    const current = () => mine === turn.current;
    setState({ step: "preparing" });
    try {
      const challenge = await askChallenge();
      if (!current() || !video.current) return;
      const recorder = record(video.current, challenge.seconds * 1_000);
      running.current = recorder;
      const startedAt = await recorder.started;
      if (!current()) return;
      setState({ step: "recording", challenge, startedAt });
      await wait(challenge.seconds * 1_000 + startedAt - performance.now());
      if (!current()) return;
      const recording = await recorder.finish();
      running.current = null;
      setState({ step: "sending", bytes: recording.frames.reduce((sum, { size }) => sum + size, 0) });
      const decision = await markByRecording(recording, challenge.challenge_id);
      if (current()) setState({ step: "decided", decision });
      await queries.invalidateQueries({ queryKey: ["attendance"] });
    } catch (error) {
      if (current()) setState({ step: "failed", error });
    }
  }, [video, queries]);

  useEffect(() => {
    const hidden = () => {
      if (document.hidden && running.current) cancel({ step: "failed", error: new Interrupted() });
    };
    document.addEventListener("visibilitychange", hidden);
    return () => {
      document.removeEventListener("visibilitychange", hidden);
      turn.current += 1;
      running.current?.cancel();
    };
  }, [cancel]);

  return { state, start, cancel };
}
