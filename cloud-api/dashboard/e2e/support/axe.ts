import { join } from "node:path";

import type { Page } from "@playwright/test";
import axe, { type RunOnly } from "axe-core";

import { expect } from "../fixtures.ts";
import { go } from "./pages.ts";

declare global {
  interface Window {
    axe: typeof axe;
  }
}

const ALL: RunOnly = { type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"] };
/** Only these look at colours, and the themes differ in nothing else. */
const OF_COLOURS: RunOnly = { type: "rule", values: ["color-contrast", "link-in-text-block"] };
const SIZES = { phone: { width: 360, height: 800 }, desktop: { width: 1440, height: 900 } };

/** Changes the theme, and waits until the last colour has changed. */
async function show(page: Page, colorScheme: "light" | "dark"): Promise<void> {
  await page.emulateMedia({ colorScheme });
  await expect(page.locator("html")).toHaveAttribute("data-mantine-color-scheme", colorScheme);
  await page.evaluate(async () => {
    const until = performance.now() + 3_000;
    // Whatever inherits a colour begins to change only after its parent has. A change that is held, such as that of an
    // element that is not shown, never ends.
    const changing = () => document.getAnimations().some((each) => each instanceof CSSTransition && each.playState === "running");
    do await new Promise((next) => requestAnimationFrame(() => requestAnimationFrame(next)));
    while (changing() && performance.now() < until);
  });
}

/** axe stays in the page for as long as that is not loaded anew. */
async function violations(page: Page, runOnly: RunOnly): Promise<string[]> {
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(axe.source);
  const found = await page.evaluate((rules) => window.axe.run(document, { resultTypes: ["violations"], runOnly: rules }), runOnly);
  return found.violations.map(({ id, nodes }) => `${id}: ${nodes[0]!.html} ${nodes[0]!.failureSummary}`);
}

/** Keeps a picture of the page in the folder `WAW_SCREENSHOTS`, where that is set. */
async function picture(page: Page, name: string): Promise<void> {
  const folder = process.env.WAW_SCREENSHOTS;
  if (!folder) return;
  const file = name.replace(/[^a-z0-9]+/gi, "-").replace(/^-|-$/g, "");
  const before = page.viewportSize()!;
  const height = await page.evaluate(() => document.documentElement.scrollHeight);
  // Whatever stands at the window's edge would be in the middle of a picture of more than the window.
  await page.setViewportSize({ ...before, height: Math.max(height, before.height) });
  await page.screenshot({ path: join(folder, `${file}.png`) });
  await page.setViewportSize(before);
}

/** What a page shows is checked in both themes, on a phone and on a desktop. */
export async function check(page: Page, where: string): Promise<void> {
  for (const [size, viewport] of Object.entries(SIZES)) {
    await page.setViewportSize(viewport);
    await show(page, "light");
    expect.soft(await violations(page, ALL), `${where}, light on a ${size}`).toEqual([]);
    await picture(page, `${where} ${size} light`);
    await show(page, "dark");
    expect.soft(await violations(page, OF_COLOURS), `${where}, dark on a ${size}`).toEqual([]);
    await picture(page, `${where} ${size} dark`);
    const beyond = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    expect.soft(beyond, `${where} scrolls sideways on a ${size}`).toBeLessThanOrEqual(0);
  }
}

/** Checks pages one after another. `who` tells the pictures of one person from those of another. */
export async function checkAll(page: Page, who: string, paths: string[]): Promise<void> {
  for (const path of paths) {
    await go(page, path);
    await check(page, `${who} ${path === "/" ? "home" : path}`);
  }
}
