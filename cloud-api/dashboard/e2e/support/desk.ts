/** What a manager prepares at the attendance desk, over the API. */
import { randomUUID } from "node:crypto";

import { expect } from "@playwright/test";

import type { Challenge, DeskPerson } from "../../src/api/types.ts";
import type { Account } from "./account.ts";
import type { Clip } from "./clip.ts";

/** Waits until faces can be read: the models take a while to load. */
export async function faces(manager: Account): Promise<void> {
  const attendance = () => manager.get<{ attendance: string }>("/healthz").then((health) => health.attendance);
  await expect.poll(attendance, { timeout: 90_000 }).toBe("ok");
}

export const deskId = () => `p-${randomUUID().slice(0, 8)}`;

/** Adds a person without a face. */
export function add(manager: Account, person: Account | { name: string; email?: string }): Promise<DeskPerson> {
  return manager.post<DeskPerson>("/api/attendance/people", { name: person.name, id: deskId(), email: person.email });
}

export async function enrol(manager: Account, person: Account, clip: Clip): Promise<string> {
  const { biometric } = await manager.get<{ biometric: { version: string } }>("/api/consents");
  const form = new FormData();
  const id = deskId();
  const fields = { id, name: person.name, email: person.email, consent: "true", consent_version: biometric.version };
  for (const [name, value] of Object.entries(fields)) form.set(name, value);
  form.set("image", new Blob([new Uint8Array(clip.picture)], { type: "image/jpeg" }), "face.jpg");
  await manager.post("/api/attendance/register-user", form);
  return id;
}

export const remove = (manager: Account, id: string) => manager.delete(`/api/attendance/people/${id}`);

export type { Challenge };
