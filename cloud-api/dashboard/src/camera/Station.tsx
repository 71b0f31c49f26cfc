import { Box, Button, Group, Stack, Switch, Text } from "@mantine/core";
import { useEffect, useRef, useState } from "react";
import type { MarkResponse } from "@/api/types";
import { cueAt, cuesPassed } from "./cues";
import { DecisionView } from "./DecisionView";
import { FaultView } from "./FaultView";
import { StationError } from "./StationError";
import { SendingView } from "./SendingView";
import { play } from "./sound";
import { useCamera } from "./useCamera";
import { useChallenge } from "./useChallenge";
import { useGuidance } from "./useGuidance";
import { useRecordingClock } from "./useRecordingClock";
import { Viewfinder } from "./Viewfinder";

interface Props {
  /** Opens the camera by itself. */
  immediate?: boolean;
  onDecision?: (decision: MarkResponse) => void;
}

/** The desk's camera: guide, challenge, decision. */
export function Station({ immediate = false, onDecision }: Props) {
  const video = useRef<HTMLVideoElement>(null);
  const camera = useCamera();
  const { state, start, cancel } = useChallenge(video);
  const [sound, setSound] = useState(false);
  const at = useRecordingClock(state);
  const on = camera.state.status === "on";
  const guidance = useGuidance(video, on && (state.step === "ready" || state.step === "recording"));
  const challenge = state.step === "recording" ? state.challenge : null;
  const cue = challenge ? cueAt(challenge.cues_ms, at) : null;
  const { open, close } = camera;
  const done = state.step === "decided" ? state.decision : null;

  useEffect(() => {
    if (immediate) void open();
  }, [immediate, open]);
  useEffect(() => {
    if (cue !== null && sound) play("cue");
  }, [cue, sound]);
  useEffect(() => {
    if (!done) return;
    close();
    if (sound) play(done.reason === null ? "good" : "bad");
    onDecision?.(done);
  }, [done, close, sound, onDecision]);

  const again = () => {
    cancel();
    void open();
  };
  if (camera.state.status === "fault") return <FaultView fault={camera.state.fault} retry={again} />;
  if (done) {
    return (
      <DecisionView decision={done}>
        {done.reason !== null && <Button onClick={again}>Try again</Button>}
      </DecisionView>
    );
  }
  return (
    <Stack gap="md">
      <Viewfinder
        videoRef={video}
        stream={camera.state.status === "on" ? camera.state.stream : null}
        progress={challenge ? Math.min(1, at / (challenge.seconds * 1_000)) : undefined}
        cue={cue !== null}
        good={guidance.good}
      >
        {!on && (
          <Button size="lg" loading={camera.state.status === "opening"} onClick={() => void open()}>
            Open the camera
          </Button>
        )}
        {state.step === "sending" && <SendingView bytes={state.bytes} />}
      </Viewfinder>
      <Box mih={56} role="status">
        <Text fw={600} fz="1.125rem">
          {words(on, challenge ? cue !== null : null, guidance.words)}
        </Text>
        {challenge && (
          <Text fz="sm" c="dimmed" className="tabular">
            {cuesPassed(challenge.cues_ms, at)} of {challenge.blinks} blinks asked for,{" "}
            {Math.max(0, Math.ceil(challenge.seconds - at / 1_000))} s left
          </Text>
        )}
      </Box>
      {state.step === "failed" && <StationError error={state.error} />}
      <Group justify="space-between">
        {on && (state.step === "ready" || state.step === "failed" || state.step === "preparing") && (
          <Button size="lg" loading={state.step === "preparing"} onClick={() => void start()}>
            Start
          </Button>
        )}
        {challenge && (
          <Button variant="default" onClick={() => cancel()}>
            Stop
          </Button>
        )}
        <Switch label="Sound at each dot" checked={sound} onChange={(event) => setSound(event.currentTarget.checked)} />
      </Group>
    </Stack>
  );
}

function words(on: boolean, cue: boolean | null, guidance: string): string {
  if (!on) return "The camera is closed";
  if (cue === null) return guidance;
  return cue ? "Blink now" : "Wait for the dot";
}
