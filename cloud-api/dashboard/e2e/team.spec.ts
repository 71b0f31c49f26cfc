import { expect, test } from "./fixtures.ts";
import type { Account } from "./support/account.ts";
import { DAY_MS, HOUR_MS } from "./support/days.ts";
import { row, upload } from "./support/minutes.ts";
import { enter, open } from "./support/pages.ts";
import type { Server } from "./support/server.ts";

/** The start of the last week that is closed for certain: it ended two days ago or earlier. */
function closedWeek(): number {
  const day = Math.floor((Date.now() - 9 * DAY_MS) / DAY_MS) * DAY_MS;
  return day - ((new Date(day).getUTCDay() + 6) % 7) * DAY_MS;
}

/** Makes a team whose people were there for all of that week. */
async function team(server: Server, manager: Account, name: string, people: Account[], week: number): Promise<void> {
  const { id } = await manager.post<{ id: string }>("/api/team", { name, timezone: "UTC" });
  for (const person of people) {
    await manager.put(`/api/team/${id}/members/${person.email}`, {});
    await person.put(`/api/team/${id}/members/me`, { version: "1" });
    await upload(person, row(week + 9 * HOUR_MS, 180, 15));
  }
  const { sql, instant } = server.database;
  await sql(`UPDATE teams SET created_at = ${instant(week)} WHERE id = '${id}'`);
  await sql(`UPDATE team_members SET accepted_at = ${instant(week - HOUR_MS)} WHERE team_id = '${id}'`);
}

test("a team's week is hidden under five people, and has one figure from five on", async ({ page, account, server }) => {
  const manager = await account("Grace Hopper", "manager");
  const people = await Promise.all(Array.from({ length: 9 }, (_, n) => account(`Person ${n}`)));
  const week = closedWeek();
  await team(server, manager, "Four of us", people.slice(0, 4), week);
  await team(server, manager, "Five of us", people.slice(4), week);
  await enter(page, manager);
  await open(page, "/team");

  const four = page.getByRole("region", { name: "Four of us" });
  await expect(four.getByText("1 of 1 weeks are hidden: fewer than five people")).toBeVisible();
  await four.getByText("Figures as a table").click();
  await expect(four.getByRole("cell", { name: "hidden: fewer than five people" })).toBeVisible();

  const five = page.getByRole("region", { name: "Five of us" });
  await five.getByText("Figures as a table").click();
  await expect(five.getByRole("cell", { name: "15", exact: true })).toBeVisible();
  await expect(five.getByText("hidden")).toHaveCount(0);

  // Nobody else is told a figure of four, whatever they ask.
  const { items } = await manager.get<{ items: { id: string; name: string }[] }>("/api/team");
  const weeks = await manager.get<{ items: object[] }>(`/api/team/${items.find(({ name }) => name === "Four of us")!.id}/blinks`);
  expect(weeks.items).toMatchObject([{ suppressed: true }]);
  expect(JSON.stringify(weeks)).not.toContain('"blinks_per_minute":15');
});
