import { join } from "node:path";

import { Postgres } from "./postgres.ts";
import { run } from "./programs.ts";

export type Kind = "sqlite" | "postgres";

export interface Database {
  url: string;
  /** Runs a statement; returns the first column of the first row, if there is one. */
  sql: (statement: string) => Promise<string>;
  /** An instant, as this database writes it. */
  instant: (at: number) => string;
  stop: () => Promise<void>;
}

const RUN = `
import sqlite3, sys
database = sqlite3.connect(sys.argv[1], timeout=10)
row = database.execute(sys.argv[2]).fetchone()
database.commit()
print("" if row is None else row[0])`;

export function sqlite(file: string): Database {
  return {
    url: `sqlite:${file}`,
    sql: async (statement) => (await run("python3", ["-c", RUN, file, statement])).trim(),
    instant: String,
    stop: () => Promise.resolve(),
  };
}

/** The database of a server; SQLite's is removed with its folder. */
export async function createDatabase(kind: Kind, folder: string): Promise<Database> {
  if (kind === "sqlite") return sqlite(join(folder, "server.db"));
  const cluster = new Postgres();
  await cluster.start();
  return {
    url: cluster.url,
    sql: (statement) => cluster.sql(statement),
    instant: (at) => `to_timestamp(${at / 1_000})`,
    stop: () => cluster.stop(),
  };
}
