import { expect, test } from "../fixtures.ts";
import { check, checkAll } from "../support/axe.ts";
import { figure, open } from "../support/pages.ts";
import { rows } from "../support/demo.ts";

test.use({ demo: true, trace: "off" });
// One server for both.
test.describe.configure({ mode: "default" });

test("axe finds nothing in a demonstration, where questions are off", async ({ page }) => {
  test.slow();
  await open(page, "/sign-in");
  await expect(page.getByRole("note")).toContainText("Demo");
  await check(page, "a demonstration's sign-in");
  await page.getByRole("button", { name: "Enter as member" }).click();
  await expect(figure(page, "Blinks today")).toHaveText(/\d/);
  await check(page, "a demonstration's Home");
  await checkAll(page, "visitor", ["/daily", "/ask"]);
  await expect(page.getByText("Questions are off on this server")).toBeVisible();
});

test("a demonstration shows made-up people, judges a recording, and stores nothing", async ({ page, folder }) => {
  test.setTimeout(120_000);
  await expect.poll(async () => (await rows(folder)).attendance_encodings, { timeout: 90_000 }).toBe(1);
  const before = await rows(folder);
  await page.goto("/sign-in");
  await expect(page.getByRole("note")).toContainText("nothing that you do here is stored");
  await page.getByRole("button", { name: "Enter as member" }).click();
  await expect(page.getByRole("note")).toContainText("nothing that you do here is stored");
  await expect(figure(page, "Blinks today")).toHaveText(/\d/);

  // Each try is the first.
  for (let n = 0; n < 2; n += 1) {
    await open(page, "/daily");
    await expect(page.getByRole("button", { name: "Open the camera" })).toHaveCount(0);
    await page.getByRole("button", { name: "Send the demo recording" }).click();
    await expect(page.getByText("Mara Lindqvist: You are marked, in time")).toBeVisible({ timeout: 45_000 });
    await expect(page.getByText("proved")).toBeVisible();
  }

  await open(page, "/account");
  const name = page.getByRole("textbox", { name: "Name" });
  await name.fill("Somebody Else");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("Your profile is saved.")).toBeVisible();
  await page.reload();
  await expect(name).toHaveValue("Mara Lindqvist");
  expect(await rows(folder)).toEqual(before);
});
