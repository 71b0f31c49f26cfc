/**
 * Chromium's fake camera. It plays a file over and over, and reads every picture from the disk anew; the file here has one
 * picture, which is overwritten while the camera runs, so that it shows what happens at that moment.
 */
import { closeSync, openSync, readFileSync, readSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";

import type { Clip } from "./clip.ts";
import { HEIGHT, PICTURE_BYTES, WIDTH, write } from "./pictures.ts";
import { anchors, frameAt } from "./timing.ts";

const FPS = 30;
const HEADER = `YUV4MPEG2 W${WIDTH} H${HEIGHT} F${FPS}:1 Ip A1:1 C420jpeg\nFRAME\n`;

export class Camera {
  readonly #path: string;
  readonly #file: number;
  readonly #picture = Buffer.alloc(PICTURE_BYTES, 128);
  #timer: NodeJS.Timeout | undefined;

  constructor(folder: string) {
    this.#path = join(folder, "camera.y4m");
    this.#file = openSync(this.#path, "w");
    writeSync(this.#file, HEADER, 0);
    this.#show();
  }

  get flags(): string[] {
    return ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream", `--use-file-for-fake-video-capture=${this.#path}`];
  }

  /** Shows the clip's first picture. */
  hold({ pictures }: Clip): void {
    clearInterval(this.#timer);
    this.#read(pictures, 0);
  }

  /** Shows a picture, with a margin around it. */
  async holdPicture(png: Buffer): Promise<void> {
    clearInterval(this.#timer);
    const [source, raw] = [`${this.#path}.png`, `${this.#path}.yuv`];
    writeFileSync(source, png);
    await write(source, raw, `scale=-2:${HEIGHT * 0.8},pad=${WIDTH}:${HEIGHT}:-1:-1:white`);
    readFileSync(raw).copy(this.#picture);
    this.#show();
  }

  /** Lets the held face blink after each of these instants from now on. */
  play(clip: Clip, cuesMs: number[], lengthMs: number): void {
    const [plan, start] = [anchors(clip, cuesMs, lengthMs), Date.now()];
    let shown = 0;
    const tick = () => {
      const frame = frameAt(plan, Date.now() - start);
      if (frame !== shown) this.#read(clip.pictures, (shown = frame));
    };
    this.#timer = setInterval(tick, 1_000 / FPS / 2);
  }

  close(): void {
    clearInterval(this.#timer);
    closeSync(this.#file);
  }

  #read(pictures: number, frame: number): void {
    readSync(pictures, this.#picture, 0, PICTURE_BYTES, frame * PICTURE_BYTES);
    this.#show();
  }

  #show(): void {
    writeSync(this.#file, this.#picture, 0, PICTURE_BYTES, HEADER.length);
  }
}
