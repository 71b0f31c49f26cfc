import { expect, test } from "./fixtures.ts";
import { deskId, faces } from "./support/desk.ts";
import { enter, open } from "./support/pages.ts";

test("a manager enrols a face with consent, and removes it again", async ({ page, account, clip, camera }) => {
  test.setTimeout(120_000);
  const manager = await account("Grace Hopper", "manager");
  await faces(manager);
  await enter(page, manager);
  const id = deskId();
  camera.hold(clip);
  await open(page, "/admin?tab=enrol");
  await page.getByRole("textbox", { name: "Name" }).fill("Ada Lovelace");
  await page.getByRole("textbox", { name: "Id", exact: true }).fill(id);
  await page.getByRole("button", { name: "Use the camera" }).click();
  await expect(page.getByText("I see your eyes")).toBeVisible();
  await page.getByRole("button", { name: "Take a picture" }).click();
  await expect(page.getByText("1 of 5 pictures")).toBeVisible();
  const chosen = page.waitForEvent("filechooser");
  await page.getByRole("button", { name: "Choose pictures" }).click();
  await (await chosen).setFiles({ name: "ada.jpg", mimeType: "image/jpeg", buffer: clip.picture });
  await expect(page.getByText("2 of 5 pictures")).toBeVisible();

  await page.getByRole("button", { name: "Enrol", exact: true }).click();
  await expect(page.getByText("No face is taken in without the person’s consent.")).toBeVisible();
  await page.getByRole("checkbox", { name: /agrees/ }).check();
  await page.getByRole("button", { name: "Enrol", exact: true }).click();
  await expect(page.getByText("0 of 5 pictures")).toBeVisible({ timeout: 30_000 });

  await page.getByRole("tab", { name: "People" }).click();
  await page.getByRole("textbox", { name: "Search" }).fill(id);
  const person = page.getByRole("row").filter({ hasText: id });
  await expect(person).toContainText("Enrolled");
  const photo = person.locator("img");
  await expect.poll(() => photo.evaluate((image: HTMLImageElement) => image.naturalWidth)).toBeGreaterThan(0);
  await person.getByRole("button", { name: "Actions for Ada Lovelace" }).click();
  await page.getByRole("menuitem", { name: "Remove the person" }).click();
  await page.getByRole("button", { name: "Remove the person" }).click();
  await expect(page.getByText("Nobody of this name")).toBeVisible();
  const { items } = await manager.get<{ items: { id: string }[] }>("/api/attendance/people?limit=1000");
  expect(items.map((each) => each.id)).not.toContain(id);
});
