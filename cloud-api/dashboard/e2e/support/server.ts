import { createDatabase, type Database, type Kind } from "./database.ts";
import { binary, confined, Program, run } from "./programs.ts";
import { ZONE } from "./zone.ts";

const LISTENS = /^cloud-api listening on (http:\/\/\S+)$/m;

/** A real cloud-api with a database of its own. */
export class Server {
  url = "";
  readonly database: Database;
  readonly #env: NodeJS.ProcessEnv;
  #program: Program | null = null;

  private constructor(database: Database, folder: string, settings: Record<string, string>) {
    this.database = database;
    this.#env = {
      ...confined(folder),
      DATABASE_URL: this.database.url,
      CLOUD_API_TIMEZONE: ZONE,
      // Whoever comes at noon is in time, on any day.
      CLOUD_API_WORK_START: "18:00",
      CLOUD_API_WORK_END: "23:00",
      CLOUD_API_WORKDAYS: "mon-sun",
      CLOUD_API_RATE_LIMIT: "off",
      CLOUD_API_FACE_WORKERS: "1",
      ...settings,
    };
  }

  /** Hands out a running server, and leaves nothing of it behind. */
  static async with(kind: Kind, folder: string, use: (server: Server) => Promise<void>, settings = {}): Promise<void> {
    const server = new Server(await createDatabase(kind, folder), folder, settings);
    try {
      await server.start();
      await use(server);
      await server.stop();
    } finally {
      server.#program?.kill();
      await server.database.stop();
    }
  }

  /** Starts it, on the port it had before if it had one. */
  async start(): Promise<void> {
    const listen = this.url ? new URL(this.url).host : "127.0.0.1:0";
    this.#program = new Program(binary("cloud-api"), ["serve", "--listen", listen], { env: this.#env });
    this.url = await this.#program.says(LISTENS);
  }

  /** Stops it; it must end by itself and without a fault. */
  async stop(): Promise<void> {
    const program = this.#program;
    if (!program) return;
    this.#program = null;
    const code = await program.stop();
    const faults = program.stderr.split("\n").filter((line) => line.includes('"level":"ERROR"') || line.includes("panicked"));
    if (code !== 0 || faults.length > 0) throw new Error(`the server ended with ${code}: ${faults.join("\n")}`);
  }

  /** What an operator does at the machine. */
  admin(...args: string[]): Promise<string> {
    return run(binary("cloud-api"), ["admin", ...args], { env: this.#env });
  }
}
