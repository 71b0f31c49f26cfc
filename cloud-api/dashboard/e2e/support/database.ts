import { join } from "node:path";

import { Postgres } from "./postgres.ts";
import { run } from "./programs.ts";

export type Kind = "sqlite" | "postgres";

export interface Database {
  url: string;
  /** The first column of the first row of a query. */
  value: (sql: string) => Promise<string>;
  stop: () => Promise<void>;
}

const READ = "import sqlite3, sys; print(sqlite3.connect(sys.argv[1]).execute(sys.argv[2]).fetchone()[0])";

function sqlite(folder: string): Database {
  const file = join(folder, "server.db");
  return {
    url: `sqlite:${file}`,
    value: async (sql) => (await run("python3", ["-c", READ, file, sql])).trim(),
    stop: () => Promise.resolve(),
  };
}

/** The database of a server; SQLite's is removed with its folder. */
export async function createDatabase(kind: Kind, folder: string): Promise<Database> {
  if (kind === "sqlite") return sqlite(folder);
  const cluster = new Postgres();
  await cluster.start();
  return { url: cluster.url, value: (sql) => cluster.value(sql), stop: () => cluster.stop() };
}
