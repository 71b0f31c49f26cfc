import { http, HttpResponse } from "msw";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { api, unwrap } from "@/api/client";
import { ApiError } from "@/api/error";
import { refusal, server, tokens, url, user } from "@/testing/server";
import { restore, signIn, signOut } from "./actions";
import { noteErasure } from "./fetch";
import { getSession, setSession } from "./store";
import { accessToken, keepAccess, refresh } from "./tokens";

const me = () => unwrap(api.GET("/api/user/me"));
const until = (condition: () => boolean) => vi.waitFor(() => expect(condition()).toBe(true));

/** Takes the newest access token alone, as the server does. */
function takes(valid: () => string) {
  return http.get(url("/api/user/me"), ({ request }) =>
    request.headers.get("Authorization") === `Bearer ${valid()}` ? HttpResponse.json(user) : refusal(401, "unauthorized", "Sign in."),
  );
}

beforeEach(() => {
  keepAccess("old");
  setSession({ status: "active", user });
});

describe("renewal", () => {
  it("exchanges once for many requests that fail together, and sends them again", async () => {
    let exchanges = 0;
    server.use(
      takes(() => "new"),
      http.post(url("/api/auth/refresh"), async ({ request }) => {
        exchanges += 1;
        expect(request.headers.get("X-WAW-Client")).toBe("web");
        expect(await request.text()).toBe("");
        return HttpResponse.json(tokens("new"));
      }),
    );
    const answers = await Promise.all([me(), me(), me()]);
    expect(answers.map(({ email }) => email)).toEqual(Array(3).fill(user.email));
    expect([exchanges, accessToken()]).toEqual([1, "new"]);
  });

  it("waits for the other tab: one lock around every exchange", async () => {
    const order: string[] = [];
    const request = vi.fn(async (name: string, work: () => Promise<unknown>) => {
      order.push(`locked ${name}`);
      const result = await work();
      order.push("released");
      return result;
    });
    vi.stubGlobal("navigator", { ...navigator, locks: { request } });
    server.use(
      http.post(url("/api/auth/refresh"), () => {
        order.push("exchanged");
        return HttpResponse.json(tokens("new"));
      }),
    );
    await refresh();
    vi.unstubAllGlobals();
    expect(order).toEqual(["locked waw-refresh", "exchanged", "released"]);
  });

  it("keeps the session when the server is away", async () => {
    server.use(
      takes(() => "new"),
      http.post(url("/api/auth/refresh"), () => HttpResponse.error()),
    );
    await expect(me()).rejects.toMatchObject({ status: 0, code: "unreachable" });
    expect(getSession().status).toBe("active");
  });
});

describe("a session that ends", () => {
  beforeEach(() =>
    server.use(
      takes(() => "again"),
      http.post(url("/api/auth/refresh"), () => refusal(401, "invalid_refresh_token", "Sign in again.")),
    ),
  );

  it("holds the request until the same person has signed in again", async () => {
    server.use(http.post(url("/api/auth/login"), () => HttpResponse.json(tokens("again"))));
    const answer = me();
    await until(() => getSession().status === "ended");
    await signIn(user.email, "correct horse battery");
    expect((await answer).email).toBe(user.email);
  });

  it("sends nothing under somebody else's name", async () => {
    const other = { ...user, id: "0190a000-0000-7000-8000-000000000002" };
    server.use(http.post(url("/api/auth/login"), () => HttpResponse.json(tokens("again", other))));
    const answer = me();
    const failed = expect(answer).rejects.toMatchObject({ code: "session_ended" });
    await until(() => getSession().status === "ended");
    await signIn("eve@example.org", "correct horse battery");
    await failed;
  });

  it("asks nobody to sign in after an erasure", async () => {
    noteErasure(true);
    await expect(me()).rejects.toMatchObject({ code: "session_ended" });
    expect(getSession().status).toBe("active");
    noteErasure(false);
  });

  it("takes a wrong password for a wrong password", async () => {
    server.use(http.post(url("/api/auth/login"), () => refusal(401, "wrong_credentials", "Address or password is wrong.")));
    await expect(signIn(user.email, "wrong")).rejects.toThrow("Address or password is wrong.");
    expect(getSession().status).toBe("active");
  });
});

it("starts with the cookie, and with nobody where there is none", async () => {
  server.use(http.post(url("/api/auth/refresh"), () => HttpResponse.json(tokens("first")), { once: true }));
  await restore();
  expect([getSession().status, accessToken()]).toEqual(["active", "first"]);
  server.use(http.post(url("/api/auth/refresh"), () => refusal(401, "invalid_refresh_token", "Sign in.")));
  await restore();
  expect(getSession().status).toBe("anonymous");
});

it("tells no session from an unreachable server", async () => {
  server.use(http.post(url("/api/auth/refresh"), () => HttpResponse.error()));
  await restore();
  expect(getSession().status).toBe("unknown");
});

it("asks for consent where the server wants it first", async () => {
  server.use(http.get(url("/api/user/me"), () => refusal(403, "consent_required", "Agree first.")));
  await expect(me()).rejects.toBeInstanceOf(ApiError);
  expect(getSession().status).toBe("consent");
});

it("signs out even when the session is gone already", async () => {
  server.use(http.post(url("/api/auth/logout"), () => refusal(401, "unauthorized", "Sign in.")));
  await signOut();
  expect([getSession().status, accessToken()]).toEqual(["anonymous", null]);
});
