import { type ReactNode, type RefObject, useEffect } from "react";
import classes from "./Viewfinder.module.css";

interface Props {
  videoRef: RefObject<HTMLVideoElement | null>;
  stream: MediaStream | null;
  /** 0..1 while a recording runs. */
  progress?: number;
  /** The dot of a cue. */
  cue?: boolean;
  good?: boolean;
  children?: ReactNode;
}

/** The camera's picture as a mirror, an oval for the face, and the dot that asks for a blink. */
export function Viewfinder({ videoRef, stream, progress, cue = false, good = false, children }: Props) {
  useEffect(() => {
    const shown = videoRef.current;
    if (!shown) return;
    shown.srcObject = stream;
    if (stream) void shown.play().catch(() => undefined);
    return () => {
      shown.srcObject = null;
    };
  }, [videoRef, stream]);
  return (
    <div className={classes.frame}>
      <video ref={videoRef} className={classes.video} muted playsInline aria-label="Your camera’s picture" hidden={!stream} />
      {stream && (
        <svg className={classes.guide} viewBox="0 0 640 480" aria-hidden data-good={good}>
          <path className={classes.shade} fillRule="evenodd" d="M0 0h640v480H0z M320 50a140 185 0 1 0 .1 0z" />
          <ellipse cx="320" cy="235" rx="140" ry="185" className={classes.oval} />
          {progress !== undefined && (
            <path d="M320 50a140 185 0 1 1-.1 0z" pathLength={1} className={classes.progress} strokeDasharray={`${progress} 1`} />
          )}
          {/* High in the picture, near the camera: eyes that look down pass for closed ones. */}
          {cue && (
            <>
              <circle cx="320" cy="66" r="50" className={classes.dotRim} />
              <circle cx="320" cy="66" r="41" className={classes.dot} />
            </>
          )}
        </svg>
      )}
      {children && <div className={classes.over}>{children}</div>}
    </div>
  );
}
