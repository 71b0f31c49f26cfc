import { randomUUID } from "node:crypto";

import { expect, test } from "../fixtures.ts";
import { PASSWORD } from "../support/account.ts";
import { withFolder } from "../support/folder.ts";
import { figure, open } from "../support/pages.ts";
import { Tray } from "../support/tray.ts";

test("somebody signs up with consent, confirms their tray's code, and sees its first minute without a reload", async ({ page, another, server }) => {
  test.setTimeout(180_000);
  const email = `${randomUUID()}@example.org`;
  await page.goto("/sign-up");
  await page.getByRole("textbox", { name: "E-mail address" }).fill(email);
  await page.getByRole("textbox", { name: "Password" }).fill(PASSWORD);
  const agreed = page.getByRole("checkbox", { name: /I have read this and agree/ });
  await expect(agreed).not.toBeChecked();
  await page.getByRole("button", { name: "Create account" }).click();
  await expect(page.getByText("there can be no account")).toBeVisible();
  expect(await server.database.sql(`SELECT count(*) FROM users WHERE email = '${email}'`)).toBe("0");
  await agreed.check();
  await page.getByRole("button", { name: "Create account" }).click();
  await expect(page.getByText("Three steps to your first figure")).toBeVisible();

  await withFolder(async (folder) => {
    const tray = new Tray(folder);
    try {
      await expect.poll(tray.listens).toBe(true);
      const login = tray.login(server.url);
      const code = await login.says(/enter the code\s+(\S+)/);
      const confirming = await another({ storageState: await page.context().storageState() });
      await open(confirming, "/device");
      await confirming.getByRole("textbox", { name: "Code" }).fill(code.toLowerCase().replace("-", " "));
      await confirming.getByRole("button", { name: "Look for the device" }).click();
      await expect(confirming.getByText("127.0.0.1")).toBeVisible();
      await confirming.getByRole("button", { name: "Yes, sign it in" }).click();
      await expect(confirming.getByText("is signed in. You can close this page.")).toBeVisible();
      expect(await login.ended()).toBe(0);
      await confirming.close();

      // A minute is sealed two seconds after its end.
      const counted = () => tray.history().reduce((sum, { blink_count }) => sum + blink_count, 0);
      await expect.poll(counted, { timeout: 130_000 }).toBeGreaterThan(0);
      await tray.sync();
      await expect(figure(page, "Blinks today")).toHaveText(String(counted()), { timeout: 30_000 });
    } finally {
      await tray.stop();
    }
  });
});
