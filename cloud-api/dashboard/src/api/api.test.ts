import { HttpResponse } from "msw";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { document, generate } from "../../scripts/openapi.mjs";
import { allPages } from "./client";
import { ApiError, apiErrorOf, messageOf } from "./error";
import { mayRetry, retryDelay } from "./queryClient";

describe("errors", () => {
  it("are the server's own words, with the fields at fault", () => {
    const error = apiErrorOf(HttpResponse.json({}, { status: 422 }), {
      error: { code: "invalid", message: "Some fields are wrong.", fields: { user_code: "is required" }, request_id: "r" },
    });
    expect(messageOf(error)).toBe("Some fields are wrong. (user code is required)");
    expect(error.requestId).toBe("r");
  });

  it("without a body still say something", () => {
    expect(apiErrorOf(HttpResponse.json({}, { status: 502 }), undefined).message).toBe("The server answered with 502.");
  });

  it("of the page itself show nothing inside", () => {
    expect(messageOf(new TypeError("x is undefined"))).not.toContain("undefined");
  });
});

describe("retries", () => {
  const error = (status: number, after: number | null = null) => new ApiError(status, {}, after);

  it.each([
    [0, true],
    [429, true],
    [500, true],
    [503, true],
    [401, false],
    [404, false],
    [422, false],
  ])("after %i: %s", (status, expected) => expect(mayRetry(0, error(status))).toBe(expected));

  it("end", () => expect(mayRetry(4, error(503))).toBe(false));

  it("wait twice as long each time, at most half a minute or so", () => {
    for (const [attempt, ms] of [[0, 1_000], [1, 2_000], [3, 8_000], [10, 30_000]] as const) {
      const delay = retryDelay(attempt, error(500));
      expect(delay).toBeGreaterThanOrEqual(ms * 0.75);
      expect(delay).toBeLessThanOrEqual(ms * 1.25);
    }
  });

  it("wait as long as the server says", () => expect(retryDelay(0, error(429, 7))).toBe(7_000));
});

it("reads all pages of a list", async () => {
  const pages = { start: { items: [1, 2], next_cursor: "b" }, b: { items: [3], next_cursor: null } };
  expect(await allPages(async (cursor) => pages[(cursor ?? "start") as keyof typeof pages])).toEqual([1, 2, 3]);
});

it("has types that are those of the server's document", async () => {
  expect(readFileSync("src/api/schema.gen.ts", "utf8")).toBe(await generate(document()));
});
