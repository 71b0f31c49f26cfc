import { expect, test } from "../fixtures.ts";
import { watch } from "../support/watch.ts";

test("what watches over every test sees a broken policy, an error, a complaint and a request elsewhere", async ({ browser, server }) => {
  const context = await browser.newContext({ baseURL: server.url });
  const { faults } = await watch(context, server.url);
  const page = await context.newPage();
  await page.goto("/sign-in");
  await expect(page.getByRole("heading", { name: "Sign in" })).toBeVisible();
  expect(faults).toEqual([]);
  await page.evaluate(() => {
    document.body.append(Object.assign(document.createElement("script"), { textContent: "0" }));
    document.body.append(Object.assign(document.createElement("img"), { src: "http://127.0.0.1:9/x.png" }));
    setTimeout(() => {
      throw new Error("thrown");
    });
    window.console.error("complained");
  });
  const sees = (start: string) => expect.poll(() => faults.some((fault) => fault.startsWith(start))).toBe(true);
  await sees("policy: script-src-elem inline");
  await sees("policy: img-src http://127.0.0.1:9");
  await sees("error: Error: thrown");
  await sees("console: complained");
  await page.goto("about:blank");
  await page.evaluate(() => fetch("http://127.0.0.1:9/").catch(() => undefined));
  await sees("request: http://127.0.0.1:9/");
  await context.close();
});
