/** A private PostgreSQL cluster on a Unix socket in a temporary folder. */
import { spawn } from "node:child_process";
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { run } from "./programs.ts";

/** The folder of Debian's newest PostgreSQL, or the one on the path. */
function programs(): string {
  const debian = "/usr/lib/postgresql";
  const versions = existsSync(debian) ? readdirSync(debian).map((version) => join(debian, version, "bin")) : [];
  const places = [...versions.sort().reverse(), ...(process.env.PATH ?? "").split(":")];
  const found = places.find((place) => existsSync(join(place, "initdb")));
  if (!found) throw new Error("PostgreSQL is not installed: apt-get install postgresql");
  return found;
}

/** PostgreSQL refuses to run as root, so root runs it as the user of Debian's package. */
function owner(): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const line = readFileSync("/etc/passwd", "utf8").split("\n").find((each) => each.startsWith("postgres:"));
  const [, , uid, gid] = line!.split(":").map(Number);
  return { uid, gid };
}

export class Postgres {
  readonly folder = mkdtempSync(join(tmpdir(), "waw-pg-"));
  readonly url = `postgres://postgres@/postgres?host=${this.folder}`;
  readonly #bin = programs();
  readonly #as = owner();

  async start(): Promise<void> {
    if (this.#as.uid !== undefined) chownSync(this.folder, this.#as.uid, this.#as.gid!);
    await this.#run("initdb", ["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]);
    const settings = `-c listen_addresses='' -c unix_socket_directories='${this.folder}' -c fsync=off -c shared_buffers=32MB`;
    await this.#run("pg_ctl", ["start", "-w", "-s", "-l", join(this.folder, "log"), "-o", settings]);
    this.#endWithUs();
  }

  /** A test run that is killed stops nothing by itself. */
  #endWithUs(): void {
    const end = `kill -QUIT $(head -1 '${this.folder}/data/postmaster.pid') && sleep 1; rm -rf '${this.folder}'`;
    const script = `while kill -0 ${process.pid}; do sleep 1; done; ${end}`;
    spawn("sh", ["-c", script], { cwd: "/", detached: true, stdio: "ignore" }).unref();
  }

  async sql(statement: string): Promise<string> {
    return (await this.#run("psql", ["-h", this.folder, "-U", "postgres", "-qAt", "-c", statement])).trim();
  }

  async stop(): Promise<void> {
    await this.#run("pg_ctl", ["stop", "-w", "-s", "-m", "immediate"]);
    rmSync(this.folder, { recursive: true, force: true });
  }

  #run(program: string, args: string[]): Promise<string> {
    const env = { PATH: process.env.PATH, PGDATA: join(this.folder, "data") };
    return run(join(this.#bin, program), args, { ...this.#as, cwd: this.folder, env });
  }
}
