import { expect, test } from "./fixtures.ts";
import { PASSWORD } from "./support/account.ts";
import { row, thisMinute, upload, MINUTE_MS } from "./support/minutes.ts";
import { open } from "./support/pages.ts";

test("consent is withdrawn, and nothing more is taken", async ({ page, member, server }) => {
  const recent = row(thisMinute() - 2 * MINUTE_MS, 1);
  await upload(member, recent);
  await open(page, "/account");
  await page.getByRole("button", { name: "Read or withdraw" }).click();
  await page.getByRole("button", { name: "Withdraw", exact: true }).click();
  await expect(page.getByText(/^Withdrawn on/)).toBeVisible();
  const given = await server.database.sql(`SELECT count(*) FROM users WHERE id = '${member.id}' AND tracking_consent`);
  expect(given).toBe("0");
  await expect(upload(member, row(thisMinute() - MINUTE_MS, 1))).rejects.toThrow("403");
  expect(await server.database.sql(`SELECT count(*) FROM blink_data WHERE user_id = '${member.id}'`)).toBe("1");

  // It can be given again.
  await page.getByRole("button", { name: "Read and agree" }).click();
  await page.getByRole("button", { name: "I agree" }).click();
  await expect(page.getByText(/^Agreed on/)).toBeVisible();
  await upload(member, row(thisMinute() - MINUTE_MS, 1));
});

test("an account is erased to nothing", async ({ page, member, server }) => {
  await upload(member, row(thisMinute() - 10 * MINUTE_MS, 5));
  const tables = { users: "id", blink_data: "user_id", blink_rollups: "user_id", consents: "user_id", sessions: "user_id", devices: "user_id" };
  const rows = async () => {
    const counts = Object.entries(tables).map(([table, key]) => `(SELECT count(*) FROM ${table} WHERE ${key} = '${member.id}')`);
    return Number(await server.database.sql(`SELECT ${counts.join(" + ")}`));
  };
  expect(await rows()).toBeGreaterThan(9);

  await open(page, "/account");
  await page.getByRole("button", { name: "Erase my account" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("textbox", { name: "Your password" }).fill(PASSWORD);
  await dialog.getByRole("checkbox", { name: "I understand" }).check();
  await dialog.getByRole("button", { name: "Erase everything" }).click();
  await expect(page.getByRole("dialog", { name: "Your account is erased" })).toContainText("minutes: 5");
  expect(await rows()).toBe(0);
  expect(await member.status("/api/user/me")).toBe(401);

  await page.getByRole("dialog").getByRole("button", { name: "Close" }).last().click();
  await expect(page).toHaveURL(/\/sign-in/);
  await page.getByRole("textbox", { name: "E-mail address" }).fill(member.email);
  await page.getByRole("textbox", { name: "Password" }).fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("alert")).toBeVisible();
  await expect(page).toHaveURL(/\/sign-in/);
});
