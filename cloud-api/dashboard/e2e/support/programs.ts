/** The programs under test: where they are, and how they are run. */
import { execFile, spawn, type ChildProcess } from "node:child_process";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const repository = fileURLToPath(new URL("../../../..", import.meta.url));
const target = resolve(repository, process.env.CARGO_TARGET_DIR ?? "target");

export const binary = (name: string) => join(target, "debug", name);

const dataHome = process.env.XDG_DATA_HOME ?? join(homedir(), ".local/share");
const models = process.env.BLINKD_MODELS_DIR ?? join(dataHome, "blinkd/models");

/** An environment in which a program finds one folder and the models, and nothing of whoever runs the tests. */
export function confined(folder: string): NodeJS.ProcessEnv {
  return {
    PATH: process.env.PATH,
    HOME: folder,
    XDG_CONFIG_HOME: join(folder, "config"),
    XDG_DATA_HOME: join(folder, "data"),
    XDG_STATE_HOME: join(folder, "state"),
    XDG_RUNTIME_DIR: join(folder, "run"),
    TZ: "UTC",
    BLINKD_MODELS_DIR: models,
    BLINKD_ACCOUNT__KEYRING: "off",
  };
}

interface Options {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  uid?: number;
  gid?: number;
}

const execute = promisify(execFile);

/** A program ends with the test run, also with one that is killed. A signal that it may answer lets it end its own. */
const withUs = (signal: NodeJS.Signals, program: string, args: string[]): [string, string[]] => [
  "setpriv",
  ["--pdeathsig", signal.replace("SIG", ""), "--", program, ...args],
];

/** Runs a program to its end, and returns what it wrote. */
export async function run(program: string, args: string[], options: Options = {}): Promise<string> {
  return (await execute(...withUs("SIGKILL", program, args), { encoding: "utf8", ...options })).stdout;
}

const STOP_MS = 15_000;

/** A program that runs beside the test. */
export class Program {
  stdout = "";
  stderr = "";
  readonly #child: ChildProcess;
  readonly #ended: Promise<number | null>;

  constructor(program: string, args: string[], options: Options = {}) {
    this.#child = spawn(...withUs("SIGTERM", program, args), { stdio: ["ignore", "pipe", "pipe"], ...options });
    this.#child.stdout!.setEncoding("utf8").on("data", (text: string) => (this.stdout += text));
    this.#child.stderr!.setEncoding("utf8").on("data", (text: string) => (this.stderr += text));
    this.#ended = new Promise((done, failed) => this.#child.on("close", done).on("error", failed));
  }

  /** Waits until a match appears in what it writes; returns the first group. */
  async says(pattern: RegExp, timeoutMs = 30_000): Promise<string> {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const found = pattern.exec(`${this.stdout}\n${this.stderr}`);
      if (found) return found[1]!;
      if (this.#child.exitCode !== null || Date.now() > deadline) {
        throw new Error(`waited in vain for ${pattern}:\n${this.stdout}${this.stderr}`);
      }
      await new Promise((again) => setTimeout(again, 20));
    }
  }

  /** Waits for its end, and returns the exit code. */
  ended = (): Promise<number | null> => this.#ended;

  kill = () => this.#child.kill("SIGKILL");

  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<number | null> {
    this.#child.kill(signal);
    const kill = setTimeout(() => this.#child.kill("SIGKILL"), STOP_MS);
    const code = await this.#ended;
    clearTimeout(kill);
    return code;
  }
}
