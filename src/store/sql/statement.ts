import type { Compilable, Kysely } from "kysely";
import type { Tables } from "./tables.ts";

/** What a column can hold. */
export type SqlValue = null | number | string | Uint8Array;

/**
 * A statement that is written with Kysely, compiled once and run many times. `P`: its parameters by name; `R`: a row of
 * its result. This file takes types only from Kysely, because loading it costs 28 MB and 0.1 s a thread: a thread that
 * only reads gets its statements as compiled by the store thread (compile.ts, read-statements.ts).
 */
export type Statement<P, R> = {
  readonly name: string;
  readonly build: (database: Kysely<Tables>, parameters: P) => Compilable<R>;
};

/** Names a statement; `build` gets a stand-in for each parameter, to be used as a value. */
export function statement<P, R>(
  name: string,
  build: (database: Kysely<Tables>, parameters: P) => Compilable<R>,
): Statement<P, R> {
  return { name, build };
}

/** A statement as text; a parameter is named by the caller or fixed. */
export type CompiledStatement = {
  readonly sql: string;
  readonly parameters: readonly ({ readonly name: string } | { readonly value: SqlValue })[];
};

/** Gives the text of a statement. */
export type Compile = (statement: Statement<never, unknown>) => CompiledStatement;

/** Runs statements. What a database cannot do is thrown as a StoreError. */
export type Sql = {
  all<P, R>(statement: Statement<P, R>, parameters: P): Promise<readonly R[]>;
  /** Rows as arrays, for what comes by the thousand. */
  arrays<P>(statement: Statement<P, unknown>, parameters: P): Promise<readonly (readonly SqlValue[])[]>;
  first<P, R>(statement: Statement<P, R>, parameters: P): Promise<R | undefined>;
  /** Gives the number of rows that were changed. */
  run<P>(statement: Statement<P, unknown>, parameters: P): Promise<number>;
};

/** A connection that writes. One transaction at a time; who begins it must await nothing but statements until its end. */
export type WriteSql = Sql & {
  begin(): void;
  commit(): void;
  rollback(): void;
  /** Whether a transaction is open: some errors end it by themselves. */
  inTransaction(): boolean;
  /** Marks a unit within a transaction, to be kept or undone by itself. */
  mark(): void;
  keep(): void;
  undo(): void;
};

/** The one connection that writes, as an engine of rows gives it. */
export type RowsConnection = WriteSql &
  Disposable & {
    /** Pages of committed changes that lie in a log only, not in the database's own file yet. */
    unsettledPages(): number;
    /** Puts them there and syncs, as far as readers let it; `whole`: all of them, and empties the log. */
    settle(whole?: boolean): void;
    /** Runs a text as it is, for migrations. */
    query(text: string, values?: readonly SqlValue[]): readonly Record<string, SqlValue>[];
  };

/** Runs one piece of work as one transaction. */
export async function transaction<T>(sql: WriteSql, work: () => Promise<T>): Promise<T> {
  sql.begin();
  try {
    const result = await work();
    sql.commit();
    return result;
  } catch (cause) {
    if (sql.inTransaction()) sql.rollback();
    throw cause;
  }
}
