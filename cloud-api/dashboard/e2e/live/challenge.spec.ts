import { expect, test } from "../fixtures.ts";
import { enrol, faces, remove, type Challenge } from "../support/desk.ts";
import { open } from "../support/pages.ts";

// It would take time from the camera.
test.use({ trace: "off" });

test("a face that misses the cues is refused with the other ways open, and one that answers them is marked", async ({ page, member, account, camera, clip }) => {
  test.setTimeout(180_000);
  const manager = await account("Grace Hopper", "manager");
  await faces(manager);
  const id = await enrol(manager, member, clip);
  await manager.put(`/api/attendance/people/${id}/pin`, { pin: "482915" });
  const start = async (): Promise<Challenge> => {
    const asked = page.waitForResponse((answer) => answer.url().endsWith("/api/attendance/challenge"));
    await page.getByRole("button", { name: "Start" }).click();
    return (await asked).json() as Promise<Challenge>;
  };

  camera.hold(clip);
  await open(page, "/daily");
  await page.getByRole("button", { name: "Open the camera" }).click();
  await expect(page.getByText("I see your eyes")).toBeVisible();
  const missed = await start();
  camera.play(clip, missed.cues_ms.slice(0, 2), missed.seconds * 1_000);
  await expect(page.getByText("Blink now")).toBeVisible();
  const refusal = page.getByRole("alert").filter({ hasText: "Not marked" });
  await expect(refusal).toBeVisible({ timeout: 45_000 });
  await expect(refusal).toContainText("Nothing counts against you. Open to you now: your PIN, your QR code");

  camera.hold(clip);
  await page.getByRole("button", { name: "Try again" }).click();
  const answered = await start();
  camera.play(clip, answered.cues_ms, answered.seconds * 1_000);
  const decision = page.getByRole("status").filter({ hasText: "You are marked, in time" });
  await expect(decision).toBeVisible({ timeout: 45_000 });
  await expect(decision).toContainText("Livenessproved");

  const { items } = await manager.get<{ items: { status: string; source: string }[] }>(`/api/attendance/get-attendance?user=${id}`);
  expect(items).toMatchObject([{ status: "present", source: "face" }]);
  await remove(manager, id);
});
