import { expect, test } from "./fixtures.ts";
import { PASSWORD } from "./support/account.ts";
import { open } from "./support/pages.ts";

interface Sessions {
  items: { id: string; current: boolean }[];
}

test("two tabs renew their session at once, again and again, and both stay signed in", async ({ page, context, member, server }) => {
  await open(page, "/account");
  const other = await context.newPage();
  await open(other, "/history");
  for (let n = 0; n < 6; n += 1) {
    await Promise.all([page.reload(), other.reload()]);
    await expect(page.getByRole("heading", { name: "Account", level: 1 })).toBeVisible();
    await expect(other.getByRole("heading", { name: "History", level: 1 })).toBeVisible();
  }
  const left = await server.database.sql(`SELECT count(*) FROM sessions WHERE user_id = '${member.id}'`);
  expect(left, "one of the browser, and the test's own").toBe("2");
});

test("a session that ends in the middle of a form loses nothing that was typed", async ({ page, member }) => {
  await open(page, "/account");
  const name = page.getByRole("textbox", { name: "Name" });
  await name.fill("Augusta Ada King");
  const { items } = await member.get<Sessions>("/api/user/me/sessions");
  for (const { id, current } of items) if (!current) await member.delete(`/api/user/me/sessions/${id}`);

  await page.getByRole("button", { name: "Save" }).click();
  const dialog = page.getByRole("dialog", { name: "Sign in again to go on" });
  await dialog.getByRole("textbox", { name: "Password" }).fill(PASSWORD);
  await dialog.getByRole("button", { name: "Sign in and go on" }).click();
  await expect(page.getByText("Your profile is saved.")).toBeVisible();
  await expect(name).toHaveValue("Augusta Ada King");
  expect(await member.get("/api/user/me")).toMatchObject({ name: "Augusta Ada King" });
});
