import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

import { defineConfig } from "@playwright/test";

import type { Kind } from "./e2e/support/database.ts";
import { ZONE } from "./e2e/support/zone.ts";

/** The browser that `CHROMIUM` names, or the first on the PATH. */
const folders = process.env.PATH?.split(delimiter) ?? [];
const browsers = ["chromium", "chromium-browser", "google-chrome"].flatMap((name) => folders.map((folder) => join(folder, name)));
const chromium = process.env.CHROMIUM ?? browsers.find((file) => existsSync(file));

/** The real cloud-api in the machine's Chromium, on each database. */
export default defineConfig<object, { database: Kind }>({
  testDir: "e2e",
  outputDir: process.env.WAW_E2E_OUTPUT ?? join(tmpdir(), "waw-e2e-results"),
  workers: 2,
  fullyParallel: true,
  timeout: 60_000,
  expect: { timeout: 15_000 },
  forbidOnly: Boolean(process.env.CI),
  reporter: [["list"]],
  use: {
    browserName: "chromium",
    locale: "en-GB",
    timezoneId: ZONE,
    viewport: { width: 1280, height: 900 },
    contextOptions: { reducedMotion: "reduce" },
    permissions: ["camera"],
    // Pictures of the page would take time from the camera.
    trace: { mode: "retain-on-failure", screenshots: false },
    screenshot: "only-on-failure",
    launchOptions: {
      executablePath: chromium,
      args: ["--disable-gpu", "--disable-quic", "--disable-component-update", "--disable-background-networking"],
      chromiumSandbox: false,
    },
  },
  projects: [
    // First and beside each other: one wants the machine's time for its camera, the other waits for a minute to end.
    { name: "sqlite-live", use: { database: "sqlite" }, testMatch: "live/**" },
    { name: "postgres-live", use: { database: "postgres" }, testMatch: "live/**" },
    // The longest of the others; it is the same on any database.
    { name: "browser", use: { database: "sqlite" }, testMatch: "browser/**" },
    { name: "sqlite", use: { database: "sqlite" }, testIgnore: ["live/**", "browser/**"] },
    { name: "postgres", use: { database: "postgres" }, testIgnore: ["live/**", "browser/**"] },
  ],
});
