import { Button, Group, Stack, Switch, Text } from "@mantine/core";
import { useEffect, useRef, useState } from "react";
import type { MarkResponse } from "@/api/types";
import { ChallengeView } from "./ChallengeView";
import { DecisionView } from "./DecisionView";
import { FaultView } from "./FaultView";
import { StationError } from "./StationError";
import { SendingView } from "./SendingView";
import { play } from "./sound";
import { useCamera } from "./useCamera";
import { useChallenge } from "./useChallenge";
import { useGuidance } from "./useGuidance";
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
  const on = camera.state.status === "on";
  // Not while it records: looking for the face would take time from the frames.
  const guidance = useGuidance(video, on && state.step === "ready");
  const recording = state.step === "recording" ? state : { challenge: null, startedAt: null };
  const { open, close } = camera;
  const done = state.step === "decided" ? state.decision : null;

  useEffect(() => {
    if (immediate) void open();
  }, [immediate, open]);
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
  const { stream } = camera.state.status === "on" ? camera.state : { stream: null };
  return (
    <Stack gap="md">
      <div style={{ position: "relative", display: "grid", gap: 16 }}>
        {stream ? (
          <ChallengeView videoRef={video} stream={stream} good={guidance.good} sound={sound} challenge={recording.challenge} startedAt={recording.startedAt} />
        ) : (
          <Viewfinder videoRef={video} stream={null}>
            <Button size="lg" loading={camera.state.status === "opening"} onClick={() => void open()}>
              Open the camera
            </Button>
          </Viewfinder>
        )}
        {state.step === "sending" && <SendingView bytes={state.bytes} />}
      </div>
      {state.step !== "recording" && (
        <Text fw={600} fz="1.125rem" role="status" mih={56}>
          {on ? guidance.words : "The camera is closed"}
        </Text>
      )}
      {state.step === "failed" && <StationError error={state.error} />}
      <Group justify="space-between">
        {on && (state.step === "ready" || state.step === "failed" || state.step === "preparing") && (
          <Button size="lg" loading={state.step === "preparing"} onClick={() => void start()}>
            Start
          </Button>
        )}
        {state.step === "recording" && (
          <Button variant="default" onClick={() => cancel()}>
            Stop
          </Button>
        )}
        <Switch label="Sound at each dot" checked={sound} onChange={(event) => setSound(event.currentTarget.checked)} />
      </Group>
    </Stack>
  );
}
