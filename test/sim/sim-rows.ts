import { DatabaseSync } from "node:sqlite";
import { err, ok } from "../../src/lib/result.ts";
import type { Disk } from "../../src/store/disk.ts";
import { migrate, refusalOf } from "../../src/store/open-database.ts";
import { StoreError } from "../../src/store/ports.ts";
import type { Rows } from "../../src/store/rows.ts";
import { compileStatement } from "../../src/store/sql/compile.ts";
import { SCHEMA_VERSION } from "../../src/store/sql/migrations.ts";
import { SqliteConnection } from "../../src/store/sql/sqlite.ts";
import type { Compile, CompiledStatement, SqlValue } from "../../src/store/sql/statement.ts";
import type { Random } from "../e2e/harness/random.ts";
import type { Process } from "./process.ts";
import { SimConnection, SimReader } from "./sim-connection.ts";

const PAGE_OCTETS = 4096;
const MOST_PAGES = 0x3fffffff;
// Where so much is free, no transaction fills the disk.
const SCARCE_OCTETS = 2 ** 32;
/** Pages of the log that a statement is taken to change. */
const PAGES = 8;

/**
 * A machine's rows: SQLite in memory, so that all SQL is run, with the fate of its log beside it. A commit is durable.
 * One whose sync failed is gone for the process; but its frames are in the log as the kernel shows it, so the next process
 * finds them, until another commit overwrites them; and they may not be on disk, so a power cut may take them and all that
 * was appended behind them, until the log has been written again or emptied into the database.
 */
export class SimRows {
  #database: DatabaseSync;
  #sql: SqliteConnection;
  /** The database with the last commit whose sync failed. */
  #doubtful: Uint8Array | undefined;
  /** What a power cut may leave, where the log holds a commit that may not be on disk. */
  #fallback: Uint8Array | undefined;
  #pages = 0;
  #octets: number | undefined;
  /** Whether SQLite knows how much it may take. */
  #limited = false;
  #ended: (() => void)[] = [];

  constructor(template: Uint8Array) {
    [this.#database, this.#sql] = openImage(template);
  }

  get sql(): SqliteConnection {
    return this.#sql;
  }

  get busy(): boolean {
    return this.#database.isTransaction;
  }

  /** Octets that the database takes on the disk, as of the last commit. */
  get octets(): number {
    if (this.#octets === undefined) {
      const [pages] = this.#sql.query("pragma page_count");
      this.#octets = Number(pages?.["page_count"]) * PAGE_OCTETS;
    }
    return this.#octets;
  }

  /** Lets the database grow by so much and no more. */
  limit(free: number): void {
    if (free >= SCARCE_OCTETS && !this.#limited) return;
    this.#limited = free < SCARCE_OCTETS;
    const pages = this.#limited ? Math.floor((this.octets + free) / PAGE_OCTETS) : MOST_PAGES;
    this.#sql.query(`pragma max_page_count = ${pages}`);
  }

  PAGE_OCTETS = 4096;
  MOST_PAGES = 0x3fffffff;
  // Where so much is free, no transaction fills the disk.
  SCARCE_OCTETS = 2 ** 32;
  /** Pages of the log that are not settled. */
  get pages(): number {
    return this.#pages;
  }

  noteChange(): void {
    this.#pages += PAGES;
  }

  /** Resolves once the transaction that is open has ended. */
  whenEnded(): Promise<void> {
    return new Promise((resolve) => this.#ended.push(resolve));
  }

  committed(): void {
    this.#doubtful = undefined;
    this.#octets = undefined;
    this.transactionEnded();
  }

  transactionEnded(): void {
    for (const resume of this.#ended.splice(0)) resume();
  }

  /** Ends the open transaction as a commit does whose sync failed. */
  doubt(): void {
    // An image holds what is committed.
    const before = this.#database.serialize();
    this.#sql.commit();
    this.#doubtful = this.#database.serialize();
    this.#restore(before);
    this.transactionEnded();
  }

  /** The log is written to the database and emptied. */
  settled(): void {
    this.#pages = 0;
    this.#fallback = undefined;
  }

  /** The log of the last run is written again as the kernel shows it, and synced. */
  rewritten(): void {
    this.#fallback = undefined;
  }

  /** Some of the log is written to the database; it stays where it is. */
  partlySettled(): void {
    this.#pages = 0;
  }

  /** The process is dead: what it had not committed is undone, what the kernel has of its log is what there is. */
  kill(random: Random): void {
    this.#ended = [];
    if (this.busy) this.#sql.rollback();
    const doubtful = this.#doubtful;
    this.#doubtful = undefined;
    // Some file systems show what they could not write until the power goes, some show what is on the disk.
    if (doubtful === undefined || random.fraction() < 0.25) return;
    this.#fallback ??= this.#database.serialize();
    this.#restore(doubtful);
    this.#pages += PAGES;
  }

  /** The power went; the process is dead already. */
  lose(random: Random): void {
    if (this.#fallback !== undefined && random.fraction() < 0.5) this.#restore(this.#fallback);
    this.#fallback = undefined;
  }

  #restore(image: Uint8Array): void {
    this.#sql[Symbol.dispose]();
    [this.#database, this.#sql] = openImage(image);
    this.#octets = undefined;
    this.#limited = false;
  }
}

/** The rows of a machine as one process has them; `free`: octets that the disk has left. */
export function rowsOf(machine: SimRows, process: Process, free: () => number): Rows {
  return {
    open: async (_layout, _disk: Disk) => {
      const connection = new SimConnection(machine, process, free);
      try {
        const version = await connection.open();
        if (version <= SCHEMA_VERSION) return ok({ connection, version });
        return err({
          kind: "newer",
          reason: `the store has schema ${version}, this program knows up to ${SCHEMA_VERSION}`,
        });
      } catch (cause) {
        if (!(cause instanceof StoreError)) throw cause;
        return err(refusalOf(cause));
      }
    },
    openForReading: () => new SimReader(machine, process),
  };
}

const compiled = new Map<unknown, CompiledStatement>();

// Kysely's work is the same for each machine, and there are thousands of them.
const compileOnce: Compile = (statement) => {
  let found = compiled.get(statement);
  if (found === undefined) compiled.set(statement, (found = compileStatement(statement)));
  return found;
};

function openImage(image: Uint8Array): [DatabaseSync, SqliteConnection] {
  const database = new DatabaseSync(":memory:");
  database.deserialize(image);
  return [database, new SqliteConnection(database, compileOnce)];
}

/** A database as this program makes it, without an account. */
export async function emptyDatabase(): Promise<Uint8Array> {
  const database = new DatabaseSync(":memory:");
  const connection = new SqliteConnection(database, compileOnce);
  await migrate({ connection, version: 0 });
  const image = database.serialize();
  connection[Symbol.dispose]();
  return image;
}

/** A row as it is. */
export type Row = Record<string, SqlValue>;
