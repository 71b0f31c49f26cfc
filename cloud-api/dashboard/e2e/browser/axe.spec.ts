import { expect, test } from "../fixtures.ts";
import { check, checkAll } from "../support/axe.ts";
import { enter, go } from "../support/pages.ts";
import { seedAttendance, seedMinutes, seedTeam } from "../support/seed.ts";

test.use({ trace: "off" });

test.describe("axe finds nothing, in both themes, on a phone and on a desktop", () => {
  test.slow();

  test("before sign-in, and where something is wrong", async ({ page, another, account }) => {
    await enter(page, await account());
    await checkAll(await another(), ["/sign-in", "/sign-up", "/reset"]);
    await checkAll(page, ["/device", "/nowhere", "/", "/ask"]);
    await page.getByRole("textbox", { name: "Question" }).fill("When do I blink least?");
    await page.getByRole("button", { name: "Ask", exact: true }).click();
    await expect(page.getByText("You blink least before noon.")).toBeVisible();
    await check(page, "an answer");
    await go(page, "/account");
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
