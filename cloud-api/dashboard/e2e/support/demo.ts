/** A server in demonstration mode: it makes a database of its own in a temporary folder. */
import { mkdir } from "node:fs/promises";
import { readdirSync } from "node:fs";
import { join } from "node:path";

import { sqlite } from "./database.ts";
import { binary, confined, run } from "./programs.ts";

const temporary = (folder: string) => join(folder, "tmp");

/** The settings, with a recording of the drawn face. */
export async function demonstration(folder: string): Promise<Record<string, string>> {
  await mkdir(temporary(folder));
  const video = join(folder, "demo.mp4");
  await run(binary("blinkd"), ["synthesize", video, "--seconds", "5", "--bpm", "40", "--sway", "8"], { env: confined(folder) });
  return { DEMO_MODE: "true", TMPDIR: temporary(folder), CLOUD_API_DEMO_VIDEO: video };
}

const TABLES = [
  "users", "consents", "teams", "team_members", "attendance_people", "attendance_encodings", "attendance_records",
  "attendance_corrections", "attendance_refusals", "attendance_challenges",
];

/** How many rows stand in each table that a visitor could write to. */
export async function rows(folder: string): Promise<Record<string, number>> {
  const [own] = readdirSync(temporary(folder)).filter((name) => name.startsWith("cloud-api-demo."));
  const database = sqlite(join(temporary(folder), own!, "demo.db"));
  const counts = TABLES.map(async (table) => [table, Number(await database.sql(`SELECT count(*) FROM ${table}`))]);
  return Object.fromEntries(await Promise.all(counts)) as Record<string, number>;
}
