/** Takes a recording as single pictures, each with the instant at which the camera took it. */

export interface Recording {
  frames: Blob[];
  /** From the first frame on, whole milliseconds, ascending. */
  timestampsMs: number[];
}

/** The server wants 15 a second or more; more than this would only make the upload longer. */
const PER_SECOND = 20;
const EARLY_MS = 8;
/** Under the server's 20 MB for a recording. */
const BUDGET_BYTES = 17_000_000;
const BEST_QUALITY = 0.82;
const LEAST_QUALITY = 0.45;
const MAX_EDGE = 640;

/** Whether a frame is taken: on average so many a second, whatever the camera's own rate. */
export function createSampler(perSecond = PER_SECOND) {
  let due = 0;
  return (at: number): boolean => {
    if (at < due - EARLY_MS) return false;
    due = Math.max(due + 1_000 / perSecond, at);
    return true;
  };
}

/** The next picture's quality, so that the whole recording keeps within what may be sent. */
export function nextQuality(quality: number, bytes: number, atMs: number, lengthMs: number): number {
  if (atMs < 500) return quality;
  const projected = (bytes / atMs) * lengthMs;
  if (projected > BUDGET_BYTES) return Math.max(LEAST_QUALITY, quality - 0.03);
  return projected < BUDGET_BYTES * 0.8 ? Math.min(BEST_QUALITY, quality + 0.01) : quality;
}

export interface Recorder {
  /** Resolves with the first frame: the instant on the page's clock from which all timestamps count. */
  started: Promise<number>;
  finish: () => Promise<Recording>;
  cancel: () => void;
}

function fit(video: HTMLVideoElement) {
  const scale = Math.min(1, MAX_EDGE / Math.max(video.videoWidth, video.videoHeight, 1));
  return { width: Math.round(video.videoWidth * scale), height: Math.round(video.videoHeight * scale) };
}

export function record(video: HTMLVideoElement, lengthMs: number): Recorder {
  const canvas = Object.assign(document.createElement("canvas"), fit(video));
  const context = canvas.getContext("2d", { willReadFrequently: true })!;
  const takes = createSampler();
  const pending: Promise<{ at: number; blob: Blob | null }>[] = [];
  let quality = BEST_QUALITY;
  let bytes = 0;
  let start: number | null = null;
  let stopped = false;
  let begin: (at: number) => void;
  const started = new Promise<number>((resolve) => (begin = resolve));

  const take = (at: number) => {
    context.drawImage(video, 0, 0, canvas.width, canvas.height);
    const encoded = new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, "image/jpeg", quality));
    pending.push(
      encoded.then((blob) => {
        bytes += blob?.size ?? 0;
        quality = nextQuality(quality, bytes, at, lengthMs);
        return { at, blob };
      }),
    );
  };

  const onFrame: VideoFrameRequestCallback = (now, { captureTime }) => {
    if (stopped) return;
    const taken = captureTime ?? now;
    if (start === null) begin((start = taken));
    const at = Math.round(taken - start);
    if (at <= lengthMs && takes(at)) take(at);
    video.requestVideoFrameCallback(onFrame);
  };
  video.requestVideoFrameCallback(onFrame);

  return {
    started,
    cancel: () => {
      stopped = true;
      pending.length = 0;
    },
    finish: async () => {
      stopped = true;
      return inOrder(await Promise.all(pending.splice(0)));
    },
  };
}

/** Frames in order; of two at one millisecond the first. */
export function inOrder(taken: { at: number; blob: Blob | null }[]): Recording {
  const recording: Recording = { frames: [], timestampsMs: [] };
  for (const { at, blob } of taken.toSorted((a, b) => a.at - b.at)) {
    if (!blob || at === recording.timestampsMs.at(-1)) continue;
    recording.frames.push(blob);
    recording.timestampsMs.push(at);
  }
  return recording;
}
