import { QueryClient } from "@tanstack/react-query";
import { ApiError } from "./error";

const RETRIES = 4;
const LONGEST_MS = 30_000;

/** Exponential back-off; the server's own `Retry-After` wins. */
export function retryDelay(attempt: number, error: unknown): number {
  if (error instanceof ApiError && error.retryAfterS !== null) return error.retryAfterS * 1_000;
  return Math.min(LONGEST_MS, 1_000 * 2 ** attempt) * (0.75 + Math.random() / 2);
}

/** Only what may pass is tried again: a refusal stays one. */
export function mayRetry(failures: number, error: unknown): boolean {
  return failures < RETRIES && error instanceof ApiError && error.passing;
}

export function createQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: { retry: mayRetry, retryDelay, staleTime: 10_000, networkMode: "always" },
      mutations: { retry: false, networkMode: "always" },
    },
  });
}
