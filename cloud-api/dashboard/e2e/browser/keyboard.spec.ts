import { readFileSync } from "node:fs";

import type { Locator, Page } from "@playwright/test";

import { expect, test } from "../fixtures.ts";
import { PASSWORD } from "../support/account.ts";
import { dateOf, hourOf } from "../support/days.ts";
import { add } from "../support/desk.ts";
import { row, upload } from "../support/minutes.ts";

/** What may tell an element with the focus from one without. */
const look = (goal: Locator) =>
  goal.evaluate((element) => {
    const { outlineStyle, outlineWidth, outlineColor, boxShadow, borderColor, borderWidth } = getComputedStyle(element);
    const outline = outlineStyle === "none" || outlineWidth === "0px" ? "none" : `${outlineStyle} ${outlineWidth} ${outlineColor}`;
    return { focused: element === document.activeElement, seen: [outline, boxShadow, borderColor, borderWidth].join("; ") };
  });

/** Goes on with the Tab key until this has the focus, which must then be seen. */
async function tabTo(page: Page, goal: Locator, most = 60): Promise<void> {
  let before = await look(goal);
  for (let n = 0; n < most; n += 1) {
    await page.keyboard.press("Tab");
    const now = await look(goal);
    if (now.focused && !before.focused) {
      await expect(goal).toBeInViewport();
      const seen = async () => (await look(goal)).seen;
      await expect.poll(seen, { message: `the focus on ${goal} is seen`, timeout: 2_000 }).not.toBe(before.seen);
      return;
    }
    before = now;
  }
  throw new Error(`the Tab key does not lead to ${goal}`);
}

test("a focus that nothing shows is found", async ({ page }) => {
  await page.goto("/sign-in");
  await page.evaluate(() => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync("* { outline: none !important; box-shadow: none !important; border-color: gray !important }");
    document.adoptedStyleSheets.push(sheet);
  });
  await expect(tabTo(page, page.getByRole("button", { name: "Sign in" }))).rejects.toThrow("is seen");
});

test("signing in, marking oneself and exporting need no mouse", async ({ page, account }) => {
  const [ada, grace] = [await account("Ada Lovelace"), await account("Grace Hopper", "manager")];
  const nine = hourOf(1, 9);
  await upload(ada, row(nine, 60));
  const { id } = await add(grace, ada);
  await grace.put(`/api/attendance/people/${id}/pin`, { pin: "482915" });

  await page.goto("/sign-in");
  await expect(page.getByRole("textbox", { name: "E-mail address" })).toBeFocused();
  await page.keyboard.type(ada.email);
  await tabTo(page, page.getByRole("textbox", { name: "Password" }));
  await page.keyboard.type(PASSWORD);
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { name: "Hello, Ada" })).toBeVisible();

  // To the desk, where the page's title takes the focus; then past the navigation by the first link.
  await tabTo(page, page.getByRole("link", { name: "Check in" }).first());
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { name: "Check in", level: 1 })).toBeFocused();
  const pin = page.getByRole("textbox", { name: "PIN", exact: true });
  await expect(pin).toBeVisible();
  await tabTo(page, page.getByRole("button", { name: "Open the camera" }));
  await page.keyboard.press("Enter");
  await tabTo(page, page.getByRole("button", { name: "Start" }));
  await page.keyboard.press("Enter");
  await expect(page.getByText(/Wait for the dot|Blink now/)).toBeVisible();
  await tabTo(page, page.getByRole("button", { name: "Stop" }));
  await page.keyboard.press("Enter");
  await expect(page.getByText(/Wait for the dot|Blink now/)).toHaveCount(0);
  await tabTo(page, pin);
  await page.keyboard.type("482915");
  await page.keyboard.press("Enter");
  await expect(page.getByText("Ada Lovelace: You are marked, in time")).toBeFocused();

  await page.goto(`/history?view=day&date=${dateOf(nine)}`);
  await expect(page.getByText("1 row", { exact: true })).toBeVisible();
  await page.keyboard.press("Tab");
  await expect(page.getByRole("link", { name: "Skip to the content" })).toBeFocused();
  await page.keyboard.press("Enter");
  await tabTo(page, page.getByRole("button", { name: "Export CSV" }), 15);
  const downloaded = page.waitForEvent("download");
  await page.keyboard.press("Enter");
  expect(readFileSync(await (await downloaded).path(), "utf8").split("\r\n")).toHaveLength(3);
});
