import type { StatementSync } from "node:sqlite";
import { DatabaseSync } from "node:sqlite";
import { assert } from "../../lib/assert.ts";
import { StoreError } from "../ports.ts";
import type { Compile, RowsConnection, Sql, SqlValue, Statement } from "./statement.ts";

type Prepared = {
  /** Gives arrays: rows as Node makes them cost more than reading them. */
  readonly statement: StatementSync;
  readonly columns: readonly string[];
  readonly names: readonly (string | undefined)[];
  readonly fixed: readonly SqlValue[];
};

const RESULT = { full: 13, corrupt: 11, notADatabase: 26 } as const;
// SQLITE_IOERR_FSYNC and SQLITE_IOERR_DIR_FSYNC.
const FAILED_SYNCS: readonly number[] = [10 | (4 << 8), 10 | (5 << 8)];

/** A connection to the SQLite database; the only file that knows node:sqlite, whose names may still change. */
export class SqliteConnection implements RowsConnection {
  readonly #database: DatabaseSync;
  readonly #compile: Compile;
  readonly #prepared = new Map<unknown, Prepared>();
  readonly #control = new Map<string, StatementSync>();

  constructor(database: DatabaseSync, compile: Compile) {
    this.#database = database;
    this.#compile = compile;
  }

  async all<P, R>(statement: Statement<P, R>, parameters: P): Promise<readonly R[]> {
    return this.#run(statement, parameters, ({ statement: prepared, columns }, values) =>
      arraysOf(prepared, values).map((row) => objectOf(columns, row) as R),
    );
  }

  async arrays<P>(statement: Statement<P, unknown>, parameters: P): Promise<readonly (readonly SqlValue[])[]> {
    return this.#run(statement, parameters, (found, values) => arraysOf(found.statement, values));
  }

  async first<P, R>(statement: Statement<P, R>, parameters: P): Promise<R | undefined> {
    return this.#run(statement, parameters, (found, values) => {
      const row = found.statement.get(...values) as unknown as readonly SqlValue[] | undefined;
      return row && (objectOf(found.columns, row) as R);
    });
  }

  async run<P>(statement: Statement<P, unknown>, parameters: P): Promise<number> {
    return this.#run(statement, parameters, (found, values) => Number(found.statement.run(...values).changes));
  }

  begin(): void {
    this.#perform("begin immediate");
  }

  commit(): void {
    this.#perform("commit");
  }

  rollback(): void {
    this.#perform("rollback");
  }

  inTransaction(): boolean {
    return this.#database.isTransaction;
  }

  mark(): void {
    this.#perform("savepoint unit");
  }

  keep(): void {
    this.#perform("release unit");
  }

  undo(): void {
    this.#perform("rollback to unit");
    this.#perform("release unit");
  }

  unsettledPages(): number {
    const [row] = this.#pragma("pragma wal_checkpoint(noop)");
    return Number(row?.["log"]) - Number(row?.["checkpointed"]);
  }

  settle(whole = false): void {
    // Without waiting: a reader that looks at an older state only makes it less.
    this.#pragma(whole ? "pragma wal_checkpoint(truncate)" : "pragma wal_checkpoint(passive)");
  }

  /** Runs a text as it is: for pragmas and migrations. */
  query(text: string, values: readonly SqlValue[] = []): readonly Record<string, SqlValue>[] {
    return attempt(text, () => this.#database.prepare(text).all(...values) as Record<string, SqlValue>[]);
  }

  [Symbol.dispose](): void {
    if (!this.#database.isOpen) return;
    this.#prepared.clear();
    this.#control.clear();
    this.#database.close();
  }

  #run<P, T>(statement: Statement<P, unknown>, parameters: P, work: (found: Prepared, values: SqlValue[]) => T): T {
    return attempt(statement.name, () => {
      const found = this.#prepared.get(statement) ?? this.#prepare(statement);
      return work(found, bound(found, parameters as Readonly<Record<string, SqlValue>>));
    });
  }

  #prepare(statement: Statement<never, unknown>): Prepared {
    const { sql, parameters } = this.#compile(statement);
    const prepared = {
      ...this.#prepareText(sql),
      names: parameters.map((parameter) => ("name" in parameter ? asKey(parameter.name) : undefined)),
      fixed: parameters.map((parameter) => ("value" in parameter ? parameter.value : null)),
    };
    this.#prepared.set(statement, prepared);
    return prepared;
  }

  #prepareText(sql: string): Pick<Prepared, "statement" | "columns"> {
    const statement = this.#database.prepare(sql);
    statement.setReturnArrays(true);
    return { statement, columns: statement.columns().map(({ name }) => asKey(name)) };
  }

  #perform(text: string): void {
    attempt(text, () => this.#controlOf(text).run());
  }

  #pragma(text: string): readonly Record<string, SqlValue>[] {
    return attempt(text, () => this.#controlOf(text).all() as Record<string, SqlValue>[]);
  }

  #controlOf(text: string): StatementSync {
    let control = this.#control.get(text);
    if (control === undefined) {
      control = this.#database.prepare(text);
      this.#control.set(text, control);
    }
    return control;
  }
}

// The one string that V8 knows this property by; any other of the same text is looked up in a table at each use.
function asKey(name: string): string {
  return Object.keys({ [name]: null })[0] ?? name;
}

function arraysOf(statement: StatementSync, values: readonly SqlValue[]): readonly (readonly SqlValue[])[] {
  return statement.all(...values) as unknown as SqlValue[][];
}

function objectOf(columns: readonly string[], values: readonly SqlValue[]): Record<string, SqlValue> {
  const row: Record<string, SqlValue> = {};
  for (let index = 0; index < columns.length; index += 1) row[columns[index] ?? ""] = values[index] ?? null;
  return row;
}

function bound(prepared: Prepared, parameters: Readonly<Record<string, SqlValue>>): SqlValue[] {
  return prepared.names.map((name, index) => {
    if (name === undefined) return prepared.fixed[index] ?? null;
    const value = parameters[name];
    assert(value !== undefined, `the parameter ${name} is given`);
    return value;
  });
}

/** Opens the one connection that writes, making the database where there is none. */
export function openForWriting(file: string, compile: Compile): SqliteConnection {
  const connection = connect(file, compile, { timeout: 5000, enableForeignKeyConstraints: true });
  try {
    const [mode] = connection.query("pragma journal_mode = wal");
    if (mode?.["journal_mode"] !== "wal") throw new StoreError("unavailable", "the database does not go into WAL mode");
    // FULL: a commit is on stable storage when it returns (P1). The log is cut back to this size after a large one.
    connection.query("pragma synchronous = full");
    // The writer settles the log itself, after the answers: SQLite would do it within a commit, and keep its failures to itself.
    connection.query("pragma wal_autocheckpoint = 0");
    connection.query("pragma journal_size_limit = 67108864");
    connection.query("pragma cache_size = -32768");
    return connection;
  } catch (cause) {
    connection[Symbol.dispose]();
    throw cause;
  }
}

/** Opens a connection that only reads, for one thread. */
export function openForReading(file: string, compile: Compile): SqliteConnection & Sql {
  const connection = connect(file, compile, { readOnly: true, timeout: 1000 });
  connection.query("pragma cache_size = -8192");
  return connection;
}

/** Takes an exclusive lock on a database file, held until the connection is closed; undefined: another has it. */
export function holdExclusively(file: string): SqliteConnection | undefined {
  const connection = connect(file, noStatements, { timeout: 0 });
  try {
    connection.query("pragma journal_mode = memory");
    connection.query("begin exclusive");
    return connection;
  } catch (cause) {
    connection[Symbol.dispose]();
    if (cause instanceof Error && isBusy(cause.cause)) return undefined;
    throw cause;
  }
}

function noStatements(): never {
  throw new Error("this connection only holds a lock");
}

function connect(
  file: string,
  compile: Compile,
  options: { readOnly?: boolean; timeout: number; enableForeignKeyConstraints?: boolean },
): SqliteConnection {
  return attempt("open", () => new SqliteConnection(new DatabaseSync(file, options), compile));
}

function attempt<T>(what: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw sqlError(what, cause);
  }
}

function sqlError(what: string, cause: unknown): Error {
  const extended = resultCode(cause);
  if (extended === undefined) return new Error(`the statement ${what} failed`, { cause });
  // The primary code stands in the low octet; the rest says more about it.
  const code = extended & 0xff;
  const kind = code === RESULT.corrupt || code === RESULT.notADatabase ? "damaged" : "unavailable";
  const text = cause instanceof Error ? cause.message : "unknown";
  return new StoreError(kind, `the database did not answer (${what}): ${text}`, {
    cause,
    full: code === RESULT.full,
    sync: FAILED_SYNCS.includes(extended),
  });
}

function resultCode(cause: unknown): number | undefined {
  return cause instanceof Error && "errcode" in cause ? Number(cause.errcode) : undefined;
}

function isBusy(cause: unknown): boolean {
  const code = (resultCode(cause) ?? 0) & 0xff;
  return code === 5 || code === 6;
}
