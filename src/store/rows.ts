import type { Result } from "../lib/result.ts";
import type { Disk } from "./disk.ts";
import type { Layout } from "./layout.ts";
import type { OpenRefusal } from "./open-refusal.ts";
import { compileStatement } from "./sql/compile.ts";
import { openForReading } from "./sql/sqlite.ts";
import type { RowsConnection, Sql } from "./sql/statement.ts";
import { openDatabase } from "./open-database.ts";

/** A database that this program can work with, once it is migrated. */
export type OpenedDatabase = { readonly connection: RowsConnection; readonly version: number };

/** What keeps the rows of a store, so that a simulated engine can take SQLite's place. */
export type Rows = {
  /** Opens for writing, and looks whether all is whole and not of a later program. */
  open(layout: Layout, disk: Disk): Promise<Result<OpenedDatabase, OpenRefusal>>;
  /** A connection that only reads, for one thread. */
  openForReading(layout: Layout): Sql & Disposable;
};

/** SQLite, in a file of the data folder. */
export const sqliteRows: Rows = {
  open: openDatabase,
  openForReading: ({ database }) => openForReading(database, compileStatement),
};
