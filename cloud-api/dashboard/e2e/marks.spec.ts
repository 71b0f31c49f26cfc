import { expect, test } from "./fixtures.ts";
import { add } from "./support/desk.ts";
import { enter, open } from "./support/pages.ts";

test("a PIN marks a member, once a day", async ({ page, member, account }) => {
  await add(await account("Grace Hopper", "manager"), member);
  await open(page, "/account");
  await page.getByRole("textbox", { name: "PIN", exact: true }).fill("482915");
  await page.getByRole("button", { name: "Set PIN" }).click();
  await expect(page.getByText("Your PIN is set.")).toBeVisible();

  await open(page, "/daily");
  const mark = async (pin: string) => {
    await page.getByRole("textbox", { name: "PIN", exact: true }).fill(pin);
    await page.getByRole("button", { name: "Mark me" }).click();
  };
  await mark("482916");
  await expect(page.getByText("Id and PIN do not belong").first()).toBeVisible();
  await mark("482915");
  await expect(page.getByText("Ada Lovelace: You are marked, in time")).toBeVisible();
  await mark("482915");
  await expect(page.getByText("Ada Lovelace: You are marked already")).toBeVisible();
  await open(page, "/logs");
  await expect(page.getByRole("row").filter({ hasText: "PIN" })).toContainText("In time");
});

test("a code that a member shows marks them before the desk's camera", async ({ page, member, account, another, camera }) => {
  const manager = await account("Grace Hopper", "manager");
  const { id } = await add(manager, member);
  await open(page, "/account");
  await page.getByRole("button", { name: "Show my QR code" }).click();
  const code = page.getByRole("img", { name: "Your code for the attendance desk" });
  await expect(code).toBeVisible();
  await camera.holdPicture(await code.screenshot());

  const desk = await another();
  await enter(desk, manager);
  await open(desk, "/daily");
  await desk.getByRole("button", { name: "Scan somebody’s code" }).click();
  await expect(desk.getByText("Ada Lovelace: You are marked, in time")).toBeVisible();
  const { items } = await manager.get<{ items: object[] }>(`/api/attendance/get-attendance?user=${id}`);
  expect(items).toMatchObject([{ status: "present", source: "qr" }]);
});
