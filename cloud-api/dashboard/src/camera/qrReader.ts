type Reader = (video: HTMLVideoElement) => Promise<string | null>;

interface Detector {
  detect: (source: HTMLVideoElement) => Promise<{ rawValue: string }[]>;
}
type DetectorClass = new (options: { formats: string[] }) => Detector;

/** What the camera gives: in a smaller picture the code's modules run together. */
const WIDTH = 640;

/** The browser's own reader where it has one, else one in script. */
export function createReader(): Reader {
  const Native = (globalThis as { BarcodeDetector?: DetectorClass }).BarcodeDetector;
  if (!Native) return readInScript;
  const detector = new Native({ formats: ["qr_code"] });
  return (video) =>
    detector.detect(video).then(
      (found) => found[0]?.rawValue ?? null,
      () => readInScript(video),
    );
}

let canvas: HTMLCanvasElement | null = null;

async function readInScript(video: HTMLVideoElement): Promise<string | null> {
  const { default: jsQR } = await import("jsqr");
  canvas ??= document.createElement("canvas");
  canvas.width = WIDTH;
  canvas.height = Math.round((WIDTH * video.videoHeight) / video.videoWidth);
  const context = canvas.getContext("2d", { willReadFrequently: true })!;
  context.drawImage(video, 0, 0, canvas.width, canvas.height);
  const { data, width, height } = context.getImageData(0, 0, canvas.width, canvas.height);
  return jsQR(data, width, height)?.data ?? null;
}
