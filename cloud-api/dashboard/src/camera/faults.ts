/** Why there is no picture, and what to do about it. */

export type CameraFault = "insecure" | "unsupported" | "denied" | "missing" | "busy" | "lost" | "failed";

const BY_NAME: Record<string, CameraFault> = {
  NotAllowedError: "denied",
  SecurityError: "denied",
  NotFoundError: "missing",
  OverconstrainedError: "missing",
  NotReadableError: "busy",
  AbortError: "busy",
};

export function faultOf(error: unknown): CameraFault {
  return (error instanceof DOMException ? BY_NAME[error.name] : undefined) ?? "failed";
}

/** What stands in the way before the camera is even asked for. */
export function faultOfPage(): CameraFault | null {
  if (!window.isSecureContext) return "insecure";
  return (navigator.mediaDevices as MediaDevices | undefined) ? null : "unsupported";
}

export const FAULT_WORDS: Record<CameraFault, { title: string; fix: string }> = {
  insecure: {
    title: "This address is not secure, so the browser keeps the camera closed",
    fix: "Open the dashboard by its https:// address. Your operator knows it.",
  },
  unsupported: {
    title: "This browser gives pages no camera",
    fix: "Use a current Firefox, Chrome, Edge or Safari.",
  },
  denied: {
    title: "The camera is refused to this page",
    fix: "Choose the camera’s or lock’s sign beside the address, allow the camera, and try again. On a managed computer your system’s privacy settings may decide.",
  },
  missing: {
    title: "No camera was found",
    fix: "Plug one in or turn its cover aside, and try again.",
  },
  busy: {
    title: "Another program uses the camera",
    fix: "Close it there, such as in a video call. If it is your tray: choose “Yield camera” in its menu.",
  },
  lost: {
    title: "The camera was unplugged or taken away",
    fix: "Connect it again, and start anew.",
  },
  failed: {
    title: "The camera did not start",
    fix: "Try again. If it stays, restart the browser.",
  },
};
