import { api, send, unwrap } from "@/api/client";
import { ApiError } from "@/api/error";
import type { Challenge, MarkResponse } from "@/api/types";
import type { Recording } from "./recorder";

export const askChallenge = (): Promise<Challenge> => unwrap(api.POST("/api/attendance/challenge"));

async function mark(form: FormData): Promise<MarkResponse> {
  const answer = await send("/api/attendance/mark-attendance", { method: "POST", body: form });
  return (await answer.json()) as MarkResponse;
}

export function markByRecording({ frames, timestampsMs }: Recording, challengeId: string): Promise<MarkResponse> {
  const form = new FormData();
  form.set("challenge_id", challengeId);
  form.set("timestamps_ms", JSON.stringify(timestampsMs));
  frames.forEach((frame, n) => form.append("frames[]", frame, `${n}.jpg`));
  return mark(form);
}

const PICTURE_MB = 10;
const VIDEO_MB = 20;

/** Why a file cannot be sent; null when it can. */
export function fileFault({ type, size }: { type: string; size: number }): string | null {
  const video = type.startsWith("video/");
  if (!video && !type.startsWith("image/")) return "Choose a video (MP4, MOV, WebM, AVI) or a picture (JPEG, PNG, WebP).";
  const most = video ? VIDEO_MB : PICTURE_MB;
  return size > most * 2 ** 20 ? `The file is larger than ${most} MB. Record a shorter one, or with a lower resolution.` : null;
}

export function markByFile(file: File): Promise<MarkResponse> {
  const form = new FormData();
  form.set(file.type.startsWith("video/") ? "video" : "image", file, file.name);
  return mark(form);
}

/** The drawn face that a demonstration offers. */
export async function demoRecording(): Promise<File> {
  const answer = await fetch(new URL("/demos/demo.mp4", window.location.origin));
  if (!answer.ok) throw new ApiError(answer.status, { message: "This demonstration has no recording. Send one of your own." });
  return new File([await answer.blob()], "demo.mp4", { type: "video/mp4" });
}

export interface PinMark {
  id: string;
  pin: string;
}

export const markByPin = (body: PinMark): Promise<MarkResponse> => unwrap(api.POST("/api/attendance/mark-pin", { body }));

export const markByCode = (qr: string): Promise<MarkResponse> => unwrap(api.POST("/api/attendance/mark-pin", { body: { qr } }));
