/** A real blinkd with the drawn face before its camera, and blinkctl beside it. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { binary, confined, Program, run } from "./programs.ts";

const SOURCE = "synthetic:bpm=30,seed=5";

interface Sealed {
  blink_count: number;
  observed_ms: number;
}

export class Tray {
  readonly #folder: string;
  readonly #env: NodeJS.ProcessEnv;
  readonly #daemon: Program;

  constructor(folder: string) {
    this.#folder = folder;
    this.#env = confined(folder);
    this.#daemon = new Program(binary("blinkd"), ["run", "--headless", "--source", SOURCE], { env: this.#env });
  }

  /** Whether it takes commands. */
  listens = () => existsSync(join(this.#folder, "run/blinkd/blinkd.sock"));

  /** Asks to be signed in; `says` gives the code, and `ended` comes with the confirmation. */
  login(server: string): Program {
    const args = ["login", "--device", "--server", server, "--accept-consent"];
    return new Program(binary("blinkctl"), args, { env: this.#env });
  }

  /** Sends what is sealed now, and not within the minute. */
  sync = () => run(binary("blinkctl"), ["sync"], { env: this.#env });

  /** The minutes that are sealed, as the daemon keeps them. */
  history(): Sealed[] {
    const folder = join(this.#folder, "data/blinkd/history");
    return readdirSync(folder).flatMap((day) =>
      readFileSync(join(folder, day), "utf8").trim().split("\n").map((line) => JSON.parse(line) as Sealed),
    );
  }

  stop = () => this.#daemon.stop();
}
