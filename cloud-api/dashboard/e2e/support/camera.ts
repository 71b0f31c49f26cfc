/**
 * Chromium's fake camera. It plays a file over and over, and reads every picture from the disk anew; the file here has one
 * picture, which is overwritten while the camera runs, so that it shows what happens at that moment.
 */
import { spawn, type ChildProcessByStdio } from "node:child_process";
import { closeSync, openSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { Readable } from "node:stream";

import type { Clip } from "./clip.ts";
import { anchors, frameAt } from "./timing.ts";

/** Small, so that it costs the machine little while it records. */
const [WIDTH, HEIGHT, FPS] = [480, 360, 30];
const HEADER = `YUV4MPEG2 W${WIDTH} H${HEIGHT} F${FPS}:1 Ip A1:1 C420jpeg\nFRAME\n`;
const SIZE = (WIDTH * HEIGHT * 3) / 2;

export class Camera {
  readonly #path: string;
  readonly #file: number;
  #film: Film | null = null;
  #timer: NodeJS.Timeout | undefined;

  constructor(folder: string) {
    this.#path = join(folder, "camera.y4m");
    this.#file = openSync(this.#path, "w");
    writeSync(this.#file, HEADER, 0);
    this.#show(Buffer.alloc(SIZE, 128));
  }

  get flags(): string[] {
    return ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream", `--use-file-for-fake-video-capture=${this.#path}`];
  }

  /** Shows the clip's first picture. */
  hold(clip: Clip): Promise<void> {
    return this.#hold(["-i", clip.path, "-vf", `scale=${WIDTH}:${HEIGHT}`]);
  }

  /** Shows a picture, with a margin around it. */
  async holdPicture(png: Buffer): Promise<void> {
    const path = `${this.#path}.png`;
    writeFileSync(path, png);
    const fit = `scale=-2:${HEIGHT * 0.8},pad=${WIDTH}:${HEIGHT}:-1:-1:white`;
    await this.#hold(["-i", path, "-vf", fit]);
  }

  async #hold(input: string[]): Promise<void> {
    this.#stop();
    this.#film = new Film(input);
    this.#show((await this.#film.frame(0))!);
  }

  /** Lets the held face blink after each of these instants from now on. */
  play(clip: Clip, cuesMs: number[], lengthMs: number): void {
    const [film, plan, start] = [this.#film!, anchors(clip, cuesMs, lengthMs), Date.now()];
    let busy = false;
    const tick = async () => {
      if (busy) return;
      busy = true;
      const picture = await film.frame(frameAt(plan, Date.now() - start));
      if (picture && film === this.#film) this.#show(picture);
      busy = false;
    };
    this.#timer = setInterval(() => void tick(), 1_000 / FPS / 2);
  }

  close(): void {
    this.#stop();
    closeSync(this.#file);
  }

  #stop(): void {
    clearInterval(this.#timer);
    this.#film?.close();
    this.#film = null;
  }

  #show(picture: Buffer): void {
    writeSync(this.#file, picture, 0, SIZE, HEADER.length);
  }
}

/** A file's pictures one after the other, as the camera wants them. */
class Film {
  readonly #decoder: ChildProcessByStdio<null, Readable, null>;
  readonly #readable: AsyncIterator<Buffer>;
  #number = -1;
  #rest: Buffer = Buffer.alloc(0);

  constructor(input: string[]) {
    const args = ["-v", "error", ...input, "-f", "rawvideo", "-pix_fmt", "yuv420p", "-"];
    this.#decoder = spawn("ffmpeg", args, { stdio: ["ignore", "pipe", "ignore"] });
    this.#readable = this.#decoder.stdout[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  }

  /** The frame of this number; null where it has been shown already. */
  async frame(number: number): Promise<Buffer | null> {
    let picture: Buffer | null = null;
    while (this.#number < number) {
      picture = await this.#next();
      if (!picture) return null;
      this.#number += 1;
    }
    return picture;
  }

  async #next(): Promise<Buffer | null> {
    const parts = [this.#rest];
    let length = this.#rest.length;
    while (length < SIZE) {
      const { value, done } = await this.#readable.next();
      if (done) return null;
      parts.push(value);
      length += value.length;
    }
    const whole = Buffer.concat(parts);
    this.#rest = whole.subarray(SIZE);
    return whole.subarray(0, SIZE);
  }

  close(): void {
    this.#decoder.kill("SIGKILL");
  }
}
