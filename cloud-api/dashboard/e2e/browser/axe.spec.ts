import { expect, test } from "../fixtures.ts";
import { check, checkAll } from "../support/axe.ts";
import { enter, go } from "../support/pages.ts";
import { seedAttendance, seedMinutes, seedTeam } from "../support/seed.ts";

test.use({ trace: "off" });

test.describe("axe finds nothing, in both themes, on a phone and on a desktop", () => {
  test.slow();

  test("before sign-in, and without a page", async ({ page, another, account }) => {
    await enter(page, await account());
    await checkAll(await another(), "nobody", ["/sign-in", "/sign-up", "/reset"]);
    await checkAll(page, "newcomer", ["/device", "/nowhere", "/ask"]);
    await page.getByRole("textbox", { name: "Question" }).fill("When do I blink least?");
    await page.getByRole("button", { name: "Ask", exact: true }).click();
    await expect(page.getByText("You blink least before noon.")).toBeVisible();
    await check(page, "an answer");
    await go(page, "/account");
    await page.getByRole("button", { name: "Read or withdraw" }).click();
    await expect(page.getByRole("dialog")).toBeVisible();
    await check(page, "a dialog");
  });

  test("where there is nothing yet, and where the server refuses", async ({ page, account }) => {
    const admin = await account("Alan Turing", "admin");
    const pages = ["/", "/history", "/logs", "/analytics", "/gamification", "/team", "/account", "/admin"];
    await enter(page, admin);
    await checkAll(page, "empty", [...pages, "/daily"]);
    const refusal = { error: { code: "maintenance", message: "The database is being moved. It is back at noon." } };
    await page.route(/\/api\/(?!auth|openapi|user\/me$)/, (route) => route.fulfill({ status: 418, json: refusal }));
    for (const path of pages) {
      await page.goto(path);
      await expect(page.getByText(refusal.error.message).first()).toBeVisible();
      await check(page, `refused ${path === "/" ? "home" : path}`);
    }
  });

  test("on a member's pages", async ({ page, member, account }) => {
    const admin = await account("Alan Turing", "admin");
    await seedMinutes(member);
    await seedAttendance(admin, member);
    await seedTeam(admin, await account("Grace Hopper"), member);
    await checkAll(page, "member", ["/", "/history", "/history?view=week", "/history?view=month", "/daily"]);
    await checkAll(page, "member", ["/logs", "/analytics", "/gamification", "/team", "/account"]);
  });

  test("on an admin's pages, and the desk's", async ({ page, account }) => {
    const [admin, ada] = [await account("Alan Turing", "admin"), await account()];
    await seedMinutes(admin);
    await seedAttendance(admin, ada);
    await seedTeam(admin, ada, await account("Grace Hopper"));
    await enter(page, admin);
    await checkAll(page, "admin", ["/", "/logs", "/analytics", "/team", "/kiosk"]);
    await checkAll(page, "admin", ["/admin", "/admin?tab=enrol", "/admin?tab=import", "/admin?tab=roles"]);
  });
});
