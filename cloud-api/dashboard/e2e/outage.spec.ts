import { expect, test } from "./fixtures.ts";
import { MINUTE_MS, row, thisMinute, upload } from "./support/minutes.ts";
import { figure, open } from "./support/pages.ts";

test("the server goes down and comes back: figures stay, are renewed by themselves, and nothing typed is lost", async ({ page, context, member, server, watched }) => {
  test.setTimeout(120_000);
  watched.outage = true;
  const start = thisMinute() - 5 * MINUTE_MS;
  await upload(member, row(start, 1, 11));
  await open(page, "/");
  await expect(figure(page, "Blinks today")).toHaveText("11");
  const form = await context.newPage();
  await open(form, "/account");
  const name = form.getByRole("textbox", { name: "Name" });
  await name.fill("Augusta Ada King");

  await server.stop();
  await expect(page.getByText("These figures may be out of date").first()).toBeVisible({ timeout: 30_000 });
  await expect(page.getByText("The server cannot be reached").first()).toBeVisible();
  await expect(figure(page, "Blinks today")).toHaveText("11");
  await form.getByRole("button", { name: "Save" }).click();
  await expect(form.getByText("The server cannot be reached").first()).toBeVisible();
  await expect(name).toHaveValue("Augusta Ada King");

  await server.start();
  await upload(member, row(start + MINUTE_MS, 1, 9));
  await expect(figure(page, "Blinks today")).toHaveText("20", { timeout: 60_000 });
  await expect(page.getByText("These figures may be out of date")).toHaveCount(0);
  await form.getByRole("button", { name: "Save" }).click();
  await expect(form.getByText("Your profile is saved.")).toBeVisible();
});

test("a browser without a network says so, and keeps what was typed", async ({ page, context, member, watched }) => {
  watched.outage = true;
  await open(page, "/account");
  const name = page.getByRole("textbox", { name: "Name" });
  await name.fill("Augusta Ada King");
  await context.setOffline(true);
  await expect(page.getByText("You are offline.")).toBeVisible();
  await context.setOffline(false);
  await expect(page.getByText("You are offline.")).toHaveCount(0);
  await expect(name).toHaveValue("Augusta Ada King");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("Your profile is saved.")).toBeVisible();
  expect(await member.get("/api/user/me")).toMatchObject({ name: "Augusta Ada King" });
});
