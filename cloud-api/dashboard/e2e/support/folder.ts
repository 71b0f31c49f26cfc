import { spawn } from "node:child_process";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A test run that is killed removes nothing by itself: a shell waits for that, and first lets its programs end. */
export function removeWithUs(folder: string): void {
  const script = 'while [ -d "$1" ]; do kill -0 "$2" 2>/dev/null || { sleep 3; rm -rf "$1"; }; sleep 1; done';
  spawn("sh", ["-c", script, "sh", folder, String(process.pid)], { cwd: "/", detached: true, stdio: "ignore" }).unref();
}

/** Hands out a temporary folder with the places a program expects, and removes it afterwards. */
export async function withFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "waw-e2e-"));
  removeWithUs(folder);
  try {
    for (const name of ["config", "data", "state", "run"]) await mkdir(join(folder, name), { mode: 0o700 });
    await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}
