import type { CompiledQuery, DatabaseConnection, Driver, QueryResult } from "kysely";
import { Kysely, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from "kysely";
import type { RowsConnection, SqlValue } from "./statement.ts";

/** Kysely over our connection, for what is built and run once: migrations. The rest is compiled statements. */
export function kyselyOver(connection: RowsConnection): Kysely<unknown> {
  return new Kysely({
    dialect: {
      createAdapter: () => new SqliteAdapter(),
      createDriver: () => new ConnectionDriver(connection),
      createIntrospector: (database) => new SqliteIntrospector(database),
      createQueryCompiler: () => new SqliteQueryCompiler(),
    },
  });
}

class ConnectionDriver implements Driver {
  readonly #connection: RowsConnection;

  constructor(connection: RowsConnection) {
    this.#connection = connection;
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    return {
      executeQuery: async <R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> => ({
        rows: this.#connection.query(sql, parameters as readonly SqlValue[]) as R[],
      }),
      streamQuery: () => {
        throw new Error("migrations stream nothing");
      },
    };
  }

  async beginTransaction(): Promise<void> {
    this.#connection.begin();
  }

  async commitTransaction(): Promise<void> {
    this.#connection.commit();
  }

  async rollbackTransaction(): Promise<void> {
    this.#connection.rollback();
  }

  async releaseConnection(): Promise<void> {}

  // The connection belongs to who opened it.
  async destroy(): Promise<void> {}
}
