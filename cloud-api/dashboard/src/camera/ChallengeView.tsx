import { Text } from "@mantine/core";
import { type RefObject, useEffect } from "react";
import type { Challenge } from "@/api/types";
import { cueAt, cuesPassed } from "./cues";
import { play } from "./sound";
import { useRecordingClock } from "./useRecordingClock";
import { Viewfinder } from "./Viewfinder";

interface Props {
  videoRef: RefObject<HTMLVideoElement | null>;
  stream: MediaStream;
  challenge: Challenge | null;
  startedAt: number | null;
  good: boolean;
  sound: boolean;
}

/** The picture with the challenge over it. It alone is drawn anew while a recording runs. */
export function ChallengeView({ videoRef, stream, challenge, startedAt, good, sound }: Props) {
  const at = useRecordingClock(startedAt);
  const cue = challenge ? cueAt(challenge.cues_ms, at) : null;
  useEffect(() => {
    if (cue !== null && sound) play("cue");
  }, [cue, sound]);
  const left = challenge ? Math.max(0, Math.ceil(challenge.seconds - at / 1_000)) : 0;
  return (
    <>
      <Viewfinder
        videoRef={videoRef}
        stream={stream}
        progress={challenge ? Math.min(1, at / (challenge.seconds * 1_000)) : undefined}
        cue={cue !== null}
        good={good}
      />
      {challenge && (
        <div>
          <Text fw={600} fz="1.125rem" role="status">
            {cue === null ? "Wait for the dot" : "Blink now"}
          </Text>
          <Text fz="sm" c="dimmed" className="tabular">
            {cuesPassed(challenge.cues_ms, at)} of {challenge.blinks} blinks asked for, {left} s left
          </Text>
        </div>
      )}
    </>
  );
}
