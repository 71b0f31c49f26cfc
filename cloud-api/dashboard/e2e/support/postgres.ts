/** A private PostgreSQL cluster on a Unix socket in a temporary folder. */
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { removeWithUs } from "./folder.ts";
import { Program, run } from "./programs.ts";

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
  readonly #bin = programs();
  readonly #as = owner();
  readonly folder = mkdtempSync(join(tmpdir(), "waw-pg-"));
  readonly url = `postgres://postgres@/postgres?host=${this.folder}`;
  #server: Program | null = null;

  /** Starts it; where that fails, nothing of it stays. */
  async start(): Promise<void> {
    removeWithUs(this.folder);
    try {
      if (this.#as.uid !== undefined) chownSync(this.folder, this.#as.uid, this.#as.gid!);
      await run(join(this.#bin, "initdb"), ["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"], this.#options());
      const settings = ["listen_addresses=", `unix_socket_directories=${this.folder}`, "fsync=off", "shared_buffers=32MB"];
      const args = settings.flatMap((setting) => ["-c", setting]);
      this.#server = new Program(join(this.#bin, "postgres"), args, this.#options());
      await this.#server.says(/(ready to accept connections)/);
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  async sql(statement: string): Promise<string> {
    const args = ["-h", this.folder, "-U", "postgres", "-qAt", "-c", statement];
    return (await run(join(this.#bin, "psql"), args, this.#options())).trim();
  }

  async stop(): Promise<void> {
    // At once, whoever is connected.
    await this.#server?.stop("SIGQUIT");
    rmSync(this.folder, { recursive: true, force: true });
  }

  #options() {
    return { ...this.#as, cwd: this.folder, env: { PATH: process.env.PATH, PGDATA: join(this.folder, "data") } };
  }
}
