import { expect, test } from "./fixtures.ts";
import { enter, open } from "./support/pages.ts";

test("an admin makes somebody a manager, who then may manage", async ({ page, another, account }) => {
  const admin = await account("Alan Turing", "admin");
  const ada = await account("Ada Lovelace");
  expect(await ada.status("/api/attendance/people")).toBe(403);
  const hers = await another();
  await enter(hers, ada);
  await open(hers, "/");
  await expect(hers.getByRole("link", { name: "People and enrolment" })).toHaveCount(0);

  await enter(page, admin);
  await open(page, "/admin?tab=roles");
  await page.getByRole("textbox", { name: "Search" }).fill(ada.email);
  const role = page.getByRole("combobox", { name: "Role of Ada Lovelace" });
  await expect(role).toHaveValue("member");
  await role.selectOption("Manager");
  await expect.poll(() => ada.status("/api/attendance/people")).toBe(200);
  await expect(role).toHaveValue("manager");

  await hers.reload();
  await hers.getByRole("link", { name: "People and enrolment" }).click();
  await expect(hers.getByRole("heading", { name: "People and enrolment" })).toBeVisible();
  await expect(hers.getByRole("tab", { name: "Accounts and roles" })).toHaveCount(0);
});
