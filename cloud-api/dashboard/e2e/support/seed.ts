import type { Account } from "./account.ts";
import { dateOf, DAY_MS, hourOf } from "./days.ts";
import { add } from "./desk.ts";
import { MINUTE_MS, row, thisMinute, upload } from "./minutes.ts";

/** Days of minutes with gaps, for every chart to have something to draw. */
export async function seedMinutes(person: Account): Promise<void> {
  const days = Array.from({ length: 9 }, (_, n) => [...row(hourOf(n + 1, 9), 90, 12 + n), ...row(hourOf(n + 1, 13), 60, 18 - n)]);
  await upload(person, [...days.flat(), ...row(thisMinute() - 40 * MINUTE_MS, 20, 14), ...row(thisMinute() - 10 * MINUTE_MS, 9, 16)]);
}

/** Weeks of attendance of this person and others, and a record that was corrected. */
export async function seedAttendance(manager: Account, person: Account): Promise<void> {
  const { id } = await add(manager, person);
  const others = await Promise.all(["Katherine Johnson", "Edsger Dijkstra"].map((name) => add(manager, { name })));
  const lines = [id, ...others.map((other) => other.id)].flatMap((who, k) =>
    Array.from({ length: 20 }, (_, n) => {
      const at = hourOf(n + 1, 9) + ((n * 7 + k * 13) % 40) * MINUTE_MS;
      const time = new Date(at - hourOf(0, 0) + 30 * DAY_MS).toISOString().slice(11, 19);
      return `${dateOf(at)},${time},${n % 6 === k ? "late" : "present"},x,${who}`;
    }),
  );
  const file = ["Date,Time,Status,Name,ID", ...lines, ""].join("\n");
  await manager.csv("/api/attendance/import", file);
  await person.put("/api/attendance/leaderboard", { leaderboard: true });
  await manager.post("/api/attendance/records", { id, status: "present", reason: "The bus was late" });
}

/** A team with one member, and one who is only invited. */
export async function seedTeam(manager: Account, member: Account, invited: Account): Promise<void> {
  const { id } = await manager.post<{ id: string }>("/api/team", { name: "Optics", timezone: "UTC" });
  for (const { email } of [member, invited]) await manager.put(`/api/team/${id}/members/${email}`, {});
  await member.put(`/api/team/${id}/members/me`, { version: "1" });
}

