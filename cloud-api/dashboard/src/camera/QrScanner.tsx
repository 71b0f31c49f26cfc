import { Alert, Stack, Text } from "@mantine/core";
import { useEffect, useRef } from "react";
import { features } from "@/app/features";
import { FaultView } from "./FaultView";
import { createReader } from "./qrReader";
import { useCamera } from "./useCamera";
import { Viewfinder } from "./Viewfinder";

const EVERY_MS = 250;

interface Props {
  onCode: (code: string) => void;
  error?: string | null;
}

/** Reads the code that somebody's account page shows. A code is handed on once. */
export function QrScanner(props: Props) {
  if (features.demo) return <Text fz="sm">In a demonstration the webcam stays off. Use the demo recording instead.</Text>;
  return <Scanner {...props} />;
}

function Scanner({ onCode, error }: Props) {
  const video = useRef<HTMLVideoElement>(null);
  const { state, open } = useCamera();
  const stream = state.status === "on" ? state.stream : null;
  useEffect(() => {
    void open();
  }, [open]);
  useEffect(() => {
    if (!stream) return;
    let last = "";
    const reader = createReader();
    const timer = window.setInterval(() => {
      const seen = video.current;
      if (!seen?.videoWidth) return;
      void reader(seen).then((code) => {
        if (code && code !== last) onCode((last = code));
      });
    }, EVERY_MS);
    return () => window.clearInterval(timer);
  }, [stream, onCode]);
  if (state.status === "fault") return <FaultView fault={state.fault} retry={() => void open()} />;
  return (
    <Stack gap="sm">
      <Viewfinder videoRef={video} stream={stream} />
      <Text fz="sm" role="status">
        Hold the code from the page Account in front of the camera.
      </Text>
      {error && (
        <Alert color="red" role="alert">
          {error}
        </Alert>
      )}
    </Stack>
  );
}
