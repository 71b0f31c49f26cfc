import { expect, type Locator, type Page } from "@playwright/test";

import { PASSWORD, type Account } from "./account.ts";

/** Signs a browser in by the same request as the sign-in page's, without showing that page. */
export async function enter(page: Page, account: Account): Promise<void> {
  const data = { email: account.email, password: PASSWORD };
  const answer = await page.request.post("/api/auth/login", { data, headers: { "X-WAW-Client": "web" } });
  expect(answer.status()).toBe(200);
}

/** Goes to an address, and waits until its page is there. */
export async function open(page: Page, path: string): Promise<void> {
  await page.goto(path);
  await ready(page);
}

/** Goes to an address within the application that is open, if there is one: nothing is loaded twice. */
export async function go(page: Page, path: string): Promise<void> {
  const url = page.url();
  if (url === "about:blank" || new URL(url).pathname === new URL(path, url).pathname) return open(page, path);
  const before = (await page.locator("h1").elementHandle())!;
  await page.evaluate((to) => {
    history.pushState({}, "", to);
    dispatchEvent(new PopStateEvent("popstate", { state: {} }));
  }, path);
  await expect.poll(() => before.evaluate((title) => title.isConnected)).toBe(false);
  await ready(page);
}

/** Waits until a page shows what it has. */
export async function ready(page: Page): Promise<void> {
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  await expect(page.getByRole("status", { name: "Loading" })).toHaveCount(0);
}

/** The value of a figure of a grid. */
export function figure(page: Page, label: string): Locator {
  const named = page.locator("dl > div").filter({ has: page.getByText(label, { exact: true }) });
  return named.locator("dd").first();
}
