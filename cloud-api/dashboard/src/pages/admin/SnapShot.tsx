import { Button, Stack, Text } from "@mantine/core";
import { useEffect, useRef } from "react";
import { FaultView } from "@/camera/FaultView";
import { useCamera } from "@/camera/useCamera";
import { useGuidance } from "@/camera/useGuidance";
import { Viewfinder } from "@/camera/Viewfinder";

const QUALITY = 0.92;

/** Takes a single picture with the camera. */
export function SnapShot({ onPicture }: { onPicture: (picture: Blob) => void }) {
  const video = useRef<HTMLVideoElement>(null);
  const { state, open } = useCamera();
  const on = state.status === "on";
  const guidance = useGuidance(video, on);
  useEffect(() => {
    void open();
  }, [open]);
  const take = () => {
    const seen = video.current;
    if (!seen?.videoWidth) return;
    const canvas = Object.assign(document.createElement("canvas"), { width: seen.videoWidth, height: seen.videoHeight });
    canvas.getContext("2d")?.drawImage(seen, 0, 0);
    canvas.toBlob((picture) => picture && onPicture(picture), "image/jpeg", QUALITY);
  };
  if (state.status === "fault") return <FaultView fault={state.fault} retry={() => void open()} />;
  return (
    <Stack maw={520}>
      <Viewfinder videoRef={video} stream={on ? state.stream : null} good={guidance.good} />
      <Text fw={600} role="status">
        {on ? guidance.words : "Opening the camera …"}
      </Text>
      <Button style={{ alignSelf: "start" }} disabled={!on} onClick={take}>
        Take a picture
      </Button>
    </Stack>
  );
}
