import { randomUUID } from "node:crypto";

import type { Account } from "./account.ts";

export const MINUTE_MS = 60_000;

export const thisMinute = () => Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS;

export const iso = (at: number) => new Date(at).toISOString().replace(".000", "");

export interface Minute {
  from: number;
  blinks?: number;
  observedMs?: number;
}

/** Uploads minutes as a device does; returns the device's id. */
export async function upload(account: Account, minutes: Minute[], device = randomUUID()): Promise<string> {
  const buckets = minutes.map(({ from, blinks = 15, observedMs = MINUTE_MS }) => ({
    id: randomUUID(),
    blink_count: blinks,
    from_timestamp: iso(from),
    to_timestamp: iso(from + MINUTE_MS),
    observed_ms: observedMs,
    mean_fps: 30,
    quality: observedMs >= 30_000 ? "good" : "insufficient",
  }));
  const answer = await account.post<{ rejected: unknown[] }>("/api/blink/sync", { device_id: device, buckets });
  if (answer.rejected.length > 0) throw new Error(`minutes were rejected: ${JSON.stringify(answer.rejected)}`);
  return device;
}

/** So many minutes, one after the other. */
export const row = (from: number, count: number, blinks = 15): Minute[] =>
  Array.from({ length: count }, (_, n) => ({ from: from + n * MINUTE_MS, blinks }));
