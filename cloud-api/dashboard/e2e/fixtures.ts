/** What every test gets: a real server on one of the databases, and a browser that is watched. */
import { expect, test as base, type BrowserContextOptions, type Page } from "@playwright/test";

import { Account } from "./support/account.ts";
import { Camera } from "./support/camera.ts";
import { drawClip, type Clip } from "./support/clip.ts";
import type { Kind } from "./support/database.ts";
import { demonstration } from "./support/demo.ts";
import { withFolder } from "./support/folder.ts";
import { withModel } from "./support/model.ts";
import { enter } from "./support/pages.ts";
import { Server } from "./support/server.ts";
import { watch, type Watch } from "./support/watch.ts";
import type { Role } from "../src/api/types.ts";

interface OfWorker {
  database: Kind;
  /** Whether the server is a demonstration. */
  demo: boolean;
  folder: string;
  /** The address of a language model. */
  model: string;
  server: Server;
  camera: Camera;
  clip: Clip;
}

interface OfTest {
  watched: Watch;
  /** A page of another browser profile, watched too. */
  another: (options?: BrowserContextOptions) => Promise<Page>;
  /** Makes an account. */
  account: (name?: string, role?: Role) => Promise<Account>;
  /** Makes an account, and signs the page in to it. */
  member: Account;
}

export const test = base.extend<OfTest, OfWorker>({
  database: ["sqlite", { scope: "worker", option: true }],
  demo: [false, { scope: "worker", option: true }],
  folder: [async ({}, use) => withFolder(use), { scope: "worker" }],
  model: [async ({}, use) => withModel(use), { scope: "worker" }],
  server: [
    async ({ database, folder, demo, model }, use) => {
      const settings = { CLOUD_API_ASK_URL: model, CLOUD_API_ASK_MODEL: "any" };
      await Server.with(database, folder, use, demo ? { ...settings, ...(await demonstration(folder)) } : settings);
    },
    { scope: "worker" },
  ],
  camera: [
    async ({ folder }, use) => {
      const camera = new Camera(folder);
      await use(camera);
      camera.close();
    },
    { scope: "worker" },
  ],
  clip: [async ({ folder }, use) => use(await drawClip(folder)), { scope: "worker" }],
  launchOptions: [
    async ({ launchOptions, camera }, use) => use({ ...launchOptions, args: [...(launchOptions.args ?? []), ...camera.flags] }),
    { scope: "worker" },
  ],
  baseURL: async ({ server }, use) => use(server.url),
  watched: [
    async ({ context, server }, use) => {
      const watched = await watch(context, server.url);
      await use(watched);
      expect(watched.faults).toEqual([]);
    },
    { auto: true },
  ],
  another: async ({ browser, contextOptions, server, baseURL }, use) => {
    const made: { watched: Watch; close: () => Promise<void> }[] = [];
    await use(async (options) => {
      const context = await browser.newContext({ ...contextOptions, baseURL, ...options });
      made.push({ watched: await watch(context, server.url), close: () => context.close() });
      return context.newPage();
    });
    for (const { watched, close } of made) {
      await close();
      expect(watched.faults).toEqual([]);
    }
  },
  account: async ({ server }, use) => use((name, role) => Account.create(server, name, role)),
  member: async ({ page, account }, use) => {
    const member = await account();
    await enter(page, member);
    await use(member);
  },
});

export { expect } from "@playwright/test";
