import { readFileSync } from "node:fs";

import type { Page } from "@playwright/test";

import { expect, test } from "./fixtures.ts";
import { add, deskId } from "./support/desk.ts";
import { enter, open } from "./support/pages.ts";

const SCRIPT = `<img src=x onerror="window.hit = true"><script>window.hit = true</script>`;
const FORMULA = `=HYPERLINK("https://evil.example","pay")`;

async function harmless(page: Page): Promise<void> {
  expect(await page.evaluate(() => "hit" in window)).toBe(false);
  await expect(page.locator("img[src=x]")).toHaveCount(0);
}

test("a script as a name, a device's label or a cell of a CSV file stays text", async ({ page, account }) => {
  const admin = await account(SCRIPT, "admin");
  await enter(page, admin);
  await open(page, "/account");
  await expect(page.getByRole("textbox", { name: "Name" })).toHaveValue(SCRIPT);
  await harmless(page);

  const device = await admin.post<{ user_code: string }>("/api/auth/device", { device_name: SCRIPT });
  await open(page, `/device?code=${device.user_code}`);
  await page.getByRole("button", { name: "Look for the device" }).click();
  await expect(page.getByText(SCRIPT)).toHaveCount(2);
  await harmless(page);
  await page.getByRole("button", { name: "Yes, sign it in" }).click();
  await expect(page.getByText("is signed in")).toBeVisible();

  const [script, formula] = [await add(admin, { name: SCRIPT }), deskId()];
  const cell = (text: string) => `"${text.replaceAll('"', '""')}"`;
  const file = `Date,Time,Status,Name,ID\n2026-03-02,09:00:00,present,${cell(FORMULA)},${formula}\n2026-03-02,09:05:00,${cell(SCRIPT)},x,${script.id}\n`;
  await open(page, "/admin?tab=import");
  const chosen = page.waitForEvent("filechooser");
  await page.getByRole("button", { name: "File" }).click();
  await (await chosen).setFiles({ name: "days.csv", mimeType: "text/csv", buffer: Buffer.from(file) });
  await page.getByRole("button", { name: "Import", exact: true }).click();
  await expect(page.getByText("1 line not taken")).toBeVisible();
  await harmless(page);

  for (const path of ["/admin", "/admin?tab=roles", "/logs?from=2026-03-02&to=2026-03-02", "/analytics", "/gamification", "/team", "/"]) {
    await open(page, path);
    await harmless(page);
  }
  await open(page, `/logs?user=${formula}&from=2026-03-02&to=2026-03-02`);
  await expect(page.getByRole("cell", { name: FORMULA, exact: true })).toBeVisible();
  const downloaded = page.waitForEvent("download");
  await page.getByRole("button", { name: "Export CSV" }).click();
  const exported = readFileSync(await (await downloaded).path(), "utf8");
  expect(exported).toContain(cell(`'${FORMULA}`));
  expect(exported).not.toMatch(/(^|,|")=/m);
});
