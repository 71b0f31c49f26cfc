/** Somebody's account, used over the API as any client does. */
import { randomUUID } from "node:crypto";

import type { components } from "../../src/api/schema.gen.ts";
import type { Role } from "../../src/api/types.ts";
import type { Server } from "./server.ts";
import { ZONE } from "./zone.ts";

export const PASSWORD = "correct horse battery";

type Tokens = components["schemas"]["TokenResponse"];

export class Account {
  readonly server: Server;
  readonly email: string;
  readonly name: string;
  id = "";
  #token = "";

  private constructor(server: Server, name: string, email: string) {
    [this.server, this.name, this.email] = [server, name, email];
  }

  static async create(server: Server, name = "Ada Lovelace", role: Role = "member"): Promise<Account> {
    const account = new Account(server, name, `${randomUUID()}@example.org`);
    const { email } = account;
    const consent = { tracking: true, version: "1" };
    account.#keep(await account.post("/api/auth/register", { email, password: PASSWORD, name, timezone: ZONE, consent }));
    if (role !== "member") await server.admin("set-role", email, role);
    return account;
  }

  /** The account that somebody made in the browser. */
  static async of(server: Server, email: string): Promise<Account> {
    const account = new Account(server, "", email);
    await account.signIn();
    return account;
  }

  async signIn(): Promise<void> {
    this.#keep(await this.post("/api/auth/login", { email: this.email, password: PASSWORD }));
  }

  get = <T>(path: string) => this.#call<T>("GET", path);
  post = <T>(path: string, body: unknown) => this.#call<T>("POST", path, body);
  put = <T>(path: string, body: unknown) => this.#call<T>("PUT", path, body);
  delete = <T>(path: string) => this.#call<T>("DELETE", path);

  csv = <T>(path: string, text: string) => this.#call<T>("POST", path, text);

  /** The status of an answer, for what is refused. */
  async status(path: string): Promise<number> {
    return (await this.#fetch("GET", path)).status;
  }

  #keep({ access_token, user }: Tokens): void {
    this.#token = access_token;
    this.id = user.id;
  }

  async #call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const answer = await this.#fetch(method, path, body);
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return (text ? JSON.parse(text) : undefined) as T;
  }

  #fetch(method: string, path: string, body?: unknown): Promise<Response> {
    const headers = new Headers(this.#token ? { Authorization: `Bearer ${this.#token}` } : {});
    if (typeof body === "string") headers.set("Content-Type", "text/csv");
    else if (!(body instanceof FormData)) headers.set("Content-Type", "application/json");
    const sent = typeof body === "string" || body instanceof FormData || body === undefined ? body : JSON.stringify(body);
    return fetch(this.server.url + path, { method, headers, body: sent });
  }
}
