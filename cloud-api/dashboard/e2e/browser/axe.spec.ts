import { AxeBuilder } from "@axe-core/playwright";
import type { Page } from "@playwright/test";

import { expect, test } from "../fixtures.ts";
import { enter, open } from "../support/pages.ts";
import { seedAttendance, seedMinutes, seedTeam } from "../support/seed.ts";

test.use({ trace: "off" });

const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"];
const SIZES = { phone: { width: 360, height: 800 }, desktop: { width: 1440, height: 900 } };

/** Changes the theme, and waits until the last colour has changed. */
async function show(page: Page, colorScheme: "light" | "dark"): Promise<void> {
  await page.emulateMedia({ colorScheme });
  await expect(page.locator("html")).toHaveAttribute("data-mantine-color-scheme", colorScheme);
  await page.evaluate(async () => {
    const changes = document.getAnimations().filter((each) => each instanceof CSSTransition);
    await Promise.allSettled(changes.map(({ finished }) => finished));
  });
}

async function check(page: Page, where: string): Promise<void> {
  for (const [size, viewport] of Object.entries(SIZES)) {
    await page.setViewportSize(viewport);
    for (const colorScheme of ["light", "dark"] as const) {
      await show(page, colorScheme);
      const axe = new AxeBuilder({ page }).options({ resultTypes: ["violations"] }).withTags(TAGS).setLegacyMode();
      const { violations } = await axe.analyze();
      const found = violations.map(({ id, nodes }) => `${id}: ${nodes[0]!.html} ${nodes[0]!.failureSummary}`);
      expect.soft(found, `${where}, ${colorScheme} on a ${size}`).toEqual([]);
    }
    const beyond = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    expect.soft(beyond, `${where} scrolls sideways on a ${size}`).toBeLessThanOrEqual(0);
  }
}

async function checkAll(page: Page, paths: string[]): Promise<void> {
  for (const path of paths) {
    await open(page, path);
    await check(page, path);
  }
}

test.describe("axe finds nothing, in both themes, on a phone and on a desktop", () => {
  test.slow();

  test("before sign-in, and where something is wrong", async ({ page, another, account }) => {
    await enter(page, await account());
    await checkAll(await another(), ["/sign-in", "/sign-up", "/reset"]);
    await checkAll(page, ["/device", "/ask", "/nowhere", "/"]);
    await open(page, "/account");
    await page.getByRole("button", { name: "Read or withdraw" }).click();
    await expect(page.getByRole("dialog")).toBeVisible();
    await check(page, "a dialog");
    await page.route("**/api/user/me/blinks*", (route) => route.fulfill({ status: 418, json: { error: { code: "x", message: "No." } } }));
    await page.goto("/history");
    await expect(page.getByRole("alert").first()).toBeVisible();
    await check(page, "an error");
  });

  test("on a member's pages", async ({ page, member, account }) => {
    const admin = await account("Alan Turing", "admin");
    await seedMinutes(member);
    await seedAttendance(admin, member);
    await seedTeam(admin, await account("Grace Hopper"), member);
    await checkAll(page, ["/", "/history", "/history?view=week", "/history?view=month", "/daily"]);
    await checkAll(page, ["/logs", "/analytics", "/gamification", "/team", "/account"]);
  });

  test("on an admin's pages, and the desk's", async ({ page, account }) => {
    const [admin, ada] = [await account("Alan Turing", "admin"), await account()];
    await seedAttendance(admin, ada);
    await seedTeam(admin, ada, await account("Grace Hopper"));
    await enter(page, admin);
    await checkAll(page, ["/", "/logs", "/analytics", "/team", "/kiosk"]);
    await checkAll(page, ["/admin", "/admin?tab=enrol", "/admin?tab=import", "/admin?tab=roles"]);
  });
});
