import { StoreError } from "../../src/store/ports.ts";
import { readSchemaVersion } from "../../src/store/sql/schema-version.ts";
import type { RowsConnection, Sql, SqlValue, Statement } from "../../src/store/sql/statement.ts";
import type { Fault, Process, Verb } from "./process.ts";
import { never, ProcessEnded } from "./process.ts";
import type { SimRows } from "./sim-rows.ts";

/** The connection of a process that writes. */
export class SimConnection implements RowsConnection {
  readonly #rows: SimRows;
  readonly #process: Process;
  readonly #free: () => number;

  constructor(rows: SimRows, process: Process, free: () => number) {
    this.#rows = rows;
    this.#process = process;
    this.#free = free;
  }

  /** As openDatabase() does: gives the version of what is there, with the log of the last run written again and settled. */
  async open(): Promise<number> {
    const { pages } = this.#rows;
    if (pages > 0) this.#rewriteLog();
    this.#enter("rows.open", "");
    const { sql } = this.#rows;
    const [table] = sql.query("select 1 from sqlite_schema where name = 'schema_version'");
    const version = table === undefined ? 0 : await readSchemaVersion(sql);
    if (pages > 0) this.#settleAtStart();
    return version;
  }

  all<P, R>(statement: Statement<P, R>, parameters: P): Promise<readonly R[]> {
    return this.#run(statement.name, () => this.#rows.sql.all(statement, parameters));
  }

  arrays<P>(statement: Statement<P, unknown>, parameters: P): Promise<readonly (readonly SqlValue[])[]> {
    return this.#run(statement.name, () => this.#rows.sql.arrays(statement, parameters));
  }

  first<P, R>(statement: Statement<P, R>, parameters: P): Promise<R | undefined> {
    return this.#run(statement.name, () => this.#rows.sql.first(statement, parameters));
  }

  run<P>(statement: Statement<P, unknown>, parameters: P): Promise<number> {
    return this.#run(statement.name, () => {
      this.#rows.noteChange();
      const changed = this.#rows.sql.run(statement, parameters);
      if (!this.#rows.busy) this.#rows.committed();
      return changed;
    });
  }

  query(text: string, values?: readonly SqlValue[]): readonly Record<string, SqlValue>[] {
    this.#enter("rows.query", text);
    const found = this.#rows.sql.query(text, values);
    if (!this.#rows.busy) this.#rows.committed();
    return found;
  }

  begin(): void {
    this.#enter("rows.begin", "");
    this.#rows.limit(this.#free());
    this.#rows.sql.begin();
  }

  commit(): void {
    const fault = failureOf(this.#process.enter("rows.commit", ""));
    if (fault === undefined || fault.error === "rot") {
      this.#rows.sql.commit();
      this.#rows.committed();
      return;
    }
    if (fault.error === "sync") this.#rows.doubt();
    else this.#rollBackUnasked();
    throw storeError("rows.commit", fault);
  }

  rollback(): void {
    this.#enter("rows.rollback", "");
    this.#rollBackUnasked();
  }

  inTransaction(): boolean {
    return this.#process.alive && this.#rows.busy;
  }

  mark(): void {
    if (!this.#process.alive) throw new ProcessEnded();
    this.#rows.sql.mark();
  }

  keep(): void {
    if (!this.#process.alive) throw new ProcessEnded();
    this.#rows.sql.keep();
  }

  undo(): void {
    if (!this.#process.alive) throw new ProcessEnded();
    this.#rows.sql.undo();
  }

  unsettledPages(): number {
    if (!this.#process.alive) throw new ProcessEnded();
    return this.#rows.pages;
  }

  settle(whole = false): void {
    this.#enter("rows.settle", whole ? "whole" : "");
    if (whole) this.#rows.settled();
    else this.#rows.partlySettled();
  }

  [Symbol.dispose](): void {
    if (this.inTransaction()) this.#rollBackUnasked();
  }

  /** As SQLite does by itself after some errors. */
  #rollBackUnasked(): void {
    if (this.#rows.busy) this.#rows.sql.rollback();
    this.#rows.transactionEnded();
  }

  #run<T>(name: string, work: () => Promise<T>): Promise<T> {
    if (!this.#process.alive) return never();
    return enteredLater(() => this.#enter("rows.run", name), work);
  }

  // A full disk undoes the statement, or all where a share of it was done; whatever else fails undoes all.
  #enter(verb: Verb, name: string): void {
    const fault = failureOf(this.#process.enter(verb, name));
    if (fault === undefined) return;
    if (fault.error !== "full" || fault.after > 0) this.#rollBackUnasked();
    throw storeError(`${verb} ${name}`, fault);
  }

  #rewriteLog(): void {
    this.#enter("rows.rewrite", "");
    this.#rows.rewritten();
  }

  #settleAtStart(): void {
    try {
      this.settle(true);
    } catch (cause) {
      if (!(cause instanceof StoreError && cause.full)) throw cause;
    }
  }
}

/** A connection that reads: what is committed, so a read waits for the end of the transaction that is open. */
export class SimReader implements Sql, Disposable {
  readonly #rows: SimRows;
  readonly #process: Process;

  constructor(rows: SimRows, process: Process) {
    this.#rows = rows;
    this.#process = process;
  }

  all<P, R>(statement: Statement<P, R>, parameters: P): Promise<readonly R[]> {
    return this.#read(statement.name, () => this.#rows.sql.all(statement, parameters));
  }

  arrays<P>(statement: Statement<P, unknown>, parameters: P): Promise<readonly (readonly SqlValue[])[]> {
    return this.#read(statement.name, () => this.#rows.sql.arrays(statement, parameters));
  }

  first<P, R>(statement: Statement<P, R>, parameters: P): Promise<R | undefined> {
    return this.#read(statement.name, () => this.#rows.sql.first(statement, parameters));
  }

  run<P>(statement: Statement<P, unknown>): Promise<number> {
    return Promise.reject(new StoreError("unavailable", `this connection only reads (${statement.name})`));
  }

  [Symbol.dispose](): void {
    // The database is the machine's.
  }

  async #read<T>(name: string, work: () => Promise<T>): Promise<T> {
    while (this.#process.alive && this.#rows.busy) await this.#rows.whenEnded();
    if (!this.#process.alive) return never();
    const fault = failureOf(this.#process.enter("rows.read", name));
    if (fault !== undefined) throw storeError(`rows.read ${name}`, fault);
    return work();
  }
}

async function enteredLater<T>(enter: () => void, work: () => Promise<T>): Promise<T> {
  enter();
  return work();
}

type Failure = { readonly error: "io" | "full" | "sync" | "rot"; readonly after: number };

function failureOf(fault: Fault | undefined): Failure | undefined {
  if (fault === undefined || (typeof fault === "object" && "short" in fault)) return undefined;
  return typeof fault === "object" ? fault : { error: fault, after: 0 };
}

function storeError(what: string, { error }: Failure): StoreError {
  const kind = error === "rot" ? "damaged" : "unavailable";
  return new StoreError(kind, `the database did not answer (${what})`, {
    full: error === "full",
    sync: error === "sync",
  });
}
