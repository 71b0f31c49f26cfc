import { useCallback, useEffect, useRef, useState } from "react";
import { type CameraFault, faultOf, faultOfPage } from "./faults";

export type CameraState =
  | { status: "off" }
  | { status: "opening" }
  | { status: "on"; stream: MediaStream }
  | { status: "fault"; fault: CameraFault };

const WANTED: MediaStreamConstraints = {
  audio: false,
  video: { facingMode: "user", width: { ideal: 640 }, height: { ideal: 480 }, frameRate: { ideal: 30 } },
};

const stop = (stream: MediaStream | null) => stream?.getTracks().forEach((track) => track.stop());

/** The camera of this page. It is closed with the page, and while nobody asked for it. */
export function useCamera() {
  const [state, setState] = useState<CameraState>({ status: "off" });
  const stream = useRef<MediaStream | null>(null);
  const asked = useRef(0);

  const close = useCallback(() => {
    asked.current += 1;
    stop(stream.current);
    stream.current = null;
    setState({ status: "off" });
  }, []);

  const open = useCallback(async () => {
    const turn = (asked.current += 1);
    const fault = faultOfPage();
    if (fault) return setState({ status: "fault", fault });
    setState({ status: "opening" });
    try {
      const opened = await navigator.mediaDevices.getUserMedia(WANTED);
      // Closed meanwhile: the light must not stay on.
      if (turn !== asked.current) return stop(opened);
      stream.current = opened;
      opened.getVideoTracks()[0]?.addEventListener("ended", () => setState({ status: "fault", fault: "lost" }));
      setState({ status: "on", stream: opened });
    } catch (error) {
      if (turn === asked.current) setState({ status: "fault", fault: faultOf(error) });
    }
  }, []);

  useEffect(
    () => () => {
      asked.current += 1;
      stop(stream.current);
    },
    [],
  );
  return { state, open, close };
}
