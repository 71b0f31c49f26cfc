/** The face that blinkd draws, as a film with known blinks. */
import { openSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { write } from "./pictures.ts";
import { binary, confined, run } from "./programs.ts";

export interface Clip {
  /** The file of its pictures. */
  pictures: number;
  fps: number;
  frames: number;
  /** First and last frame of each blink. */
  blinks: [number, number][];
  /** A picture with open eyes. */
  picture: Buffer;
}

interface Truth {
  fps: number;
  frames: number;
  blinks: { start_frame: number; end_frame: number }[];
}

/** Draws it; the head moves a little, as a living one does. */
export async function drawClip(folder: string, seconds = 28): Promise<Clip> {
  const [path, truth, picture] = [join(folder, "face.avi"), join(folder, "face.json"), join(folder, "face.jpg")];
  const look = ["--seconds", String(seconds), "--bpm", "17", "--seed", "3", "--sway", "4"];
  await run(binary("blinkd"), ["synthesize", path, "--truth", truth, ...look], { env: confined(folder) });
  await run("ffmpeg", ["-v", "error", "-y", "-i", path, "-frames:v", "1", "-q:v", "2", picture]);
  const raw = join(folder, "face.yuv");
  await write(path, raw);
  const pictures = openSync(raw, "r");
  const { fps, frames, blinks } = JSON.parse(readFileSync(truth, "utf8")) as Truth;
  return { pictures, fps, frames, blinks: blinks.map((blink) => [blink.start_frame, blink.end_frame]), picture: readFileSync(picture) };
}
