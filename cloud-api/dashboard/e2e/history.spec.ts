import { readFileSync } from "node:fs";

import { expect, test } from "./fixtures.ts";
import { dateOf, HOUR_MS, hourOf } from "./support/days.ts";
import { iso, row, upload } from "./support/minutes.ts";
import { open } from "./support/pages.ts";

test("the table is filtered, and the file holds what it shows", async ({ page, member }) => {
  const nine = hourOf(1, 9);
  // An hour that was observed throughout, and one of which only ten minutes were.
  await upload(member, [...row(nine, 60, 15), ...row(nine + HOUR_MS, 10, 12)]);
  await open(page, `/history?view=day&date=${dateOf(nine)}`);
  await expect(page.getByText("2 rows")).toBeVisible();
  await page.getByRole("combobox", { name: "Show" }).selectOption("Half or more observed");
  await expect(page.getByText("1 row", { exact: true })).toBeVisible();

  const downloaded = page.waitForEvent("download");
  await page.getByRole("button", { name: "Export CSV" }).click();
  const file = await downloaded;
  expect(file.suggestedFilename()).toBe(`blinks_${dateOf(nine)}_day_hour.csv`);
  expect(readFileSync(await file.path(), "utf8").split("\r\n")).toEqual([
    "from_timestamp,to_timestamp,blink_count,observed_ms,blinks_per_minute,coverage,quality",
    `${iso(nine)},${iso(nine + HOUR_MS)},900,3600000,15,1,good`,
    "",
  ]);
});

test("what was not observed is drawn as a gap, never as zero", async ({ page, member }) => {
  const nine = hourOf(1, 9);
  await upload(member, [...row(nine, 60), ...row(nine + 3 * HOUR_MS, 60)]);
  await open(page, `/history?view=day&date=${dateOf(nine)}`);

  const line = page.locator("path.recharts-area-curve");
  await expect(line).toHaveCount(1);
  const drawn = (await line.getAttribute("d"))!;
  const strokes = drawn.split("M").filter(Boolean);
  expect(strokes).toHaveLength(2);
  const levels = strokes.map((stroke) => [...stroke.matchAll(/(-?[\d.]+),(-?[\d.]+)/g)].map(([, , y]) => Number(y)));
  expect(new Set(levels.flat()).size, "the rate is 15 throughout, and nowhere else").toBe(1);

  const bars = page.locator("figure svg[viewBox='0 0 1000 22'] rect");
  const heights = await bars.evaluateAll((all) => all.map((bar) => Number(bar.getAttribute("height"))));
  const observed = heights.map((height) => height > 0);
  const expected = Array.from({ length: 24 * 6 }, (_, n) => [9, 12].includes(Math.floor(n / 6)));
  expect(observed).toEqual(expected);

  await page.getByText("Figures as a table").click();
  await expect(page.getByRole("region", { name: "Your blinks per minute" }).getByRole("row")).toHaveCount(1 + 12);
});
