import { run } from "./programs.ts";

/** Small, so that a picture costs the machine little while it records. */
export const [WIDTH, HEIGHT] = [480, 360];
/** A picture as a camera gives it: brightness, and colour at half the width and height. */
export const PICTURE_BYTES = (WIDTH * HEIGHT * 3) / 2;

/** Writes all pictures of a file one after the other, as the camera wants them. */
export async function write(source: string, raw: string, filter = `scale=${WIDTH}:${HEIGHT}`): Promise<void> {
  await run("ffmpeg", ["-v", "error", "-y", "-i", source, "-vf", filter, "-f", "rawvideo", "-pix_fmt", "yuv420p", raw]);
}
