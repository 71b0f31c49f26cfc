import createClient from "openapi-fetch";
import { sessionFetch } from "@/session/fetch";
import { apiErrorOf } from "./error";
import type { paths } from "./schema.gen";

export const api = createClient<paths>({ baseUrl: window.location.origin, fetch: sessionFetch });

interface Answer<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** The body of an answer, or the server's refusal thrown. */
export async function unwrap<T>(call: Promise<Answer<T>>): Promise<T> {
  const { data, error, response } = await call;
  if (!response.ok) throw apiErrorOf(response, error);
  return data as T;
}

/** A request that the typed client has no form for: multipart forms and CSV. */
export async function send(path: string, init: RequestInit): Promise<Response> {
  const response = await sessionFetch(new Request(new URL(path, window.location.origin), init));
  if (!response.ok) throw apiErrorOf(response, await response.json().catch(() => undefined));
  return response;
}

interface Page<T> {
  items: T[];
  next_cursor?: string | null;
}

/** All pages of a list, up to `most` entries. */
export async function allPages<T>(page: (cursor?: string) => Promise<Page<T>>, most = 20_000): Promise<T[]> {
  const items: T[] = [];
  let cursor: string | undefined;
  do {
    const next = await page(cursor);
    items.push(...next.items);
    cursor = next.next_cursor ?? undefined;
  } while (cursor !== undefined && items.length < most);
  return items;
}
