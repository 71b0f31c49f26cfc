import type { components } from "./schema.gen";

export type ErrorEnvelope = components["schemas"]["ErrorEnvelope"];

/** A refusal in the server's own words, or a server that could not be reached. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly fields: Record<string, string>;
  readonly requestId: string | null;
  readonly retryAfterS: number | null;

  constructor(status: number, detail: Partial<ErrorEnvelope["error"]>, retryAfterS: number | null = null) {
    super(detail.message ?? `The server answered with ${status}.`);
    this.name = "ApiError";
    this.status = status;
    this.code = detail.code ?? "unknown";
    this.fields = detail.fields ?? {};
    this.requestId = detail.request_id ?? null;
    this.retryAfterS = retryAfterS;
  }

  /** Whether the same request may well succeed a little later. */
  get passing(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

export const unreachable = () =>
  new ApiError(0, {
    code: "unreachable",
    message: "The server cannot be reached. Check your connection; this page goes on trying.",
  });

export const sessionEnded = () =>
  new ApiError(401, { code: "session_ended", message: "Your session has ended. Sign in to go on." });

export function apiErrorOf(response: Response, body: unknown): ApiError {
  const wait = Number(response.headers.get("Retry-After"));
  const detail = (body as ErrorEnvelope | undefined)?.error ?? {};
  return new ApiError(response.status, detail, wait > 0 ? wait : null);
}

/** The message for people: with what is wrong in which field, where the server says so. */
export function messageOf(error: unknown): string {
  if (!(error instanceof ApiError)) return "Something went wrong on this page. Reload it; your data is safe.";
  const fields = Object.entries(error.fields).map(([field, text]) => `${field.replaceAll("_", " ")} ${text}`);
  return fields.length > 0 ? `${error.message} (${fields.join("; ")})` : error.message;
}
