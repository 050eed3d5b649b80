import { DummyDriver, Kysely, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from "kysely";
import { assert } from "../../lib/assert.ts";
import type { CompiledStatement, SqlValue, Statement } from "./statement.ts";
import type { Tables } from "./tables.ts";

/** Stands for a parameter while Kysely builds a statement; Kysely keeps it among the values it binds. */
class Placeholder {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

const builder = new Kysely<Tables>({
  dialect: {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (database) => new SqliteIntrospector(database),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  },
});

const placeholders = new Proxy({}, { get: (_, name) => new Placeholder(String(name)) });

/** Has Kysely write a statement for SQLite. */
export function compileStatement(statement: Statement<never, unknown>): CompiledStatement {
  const query = statement.build(builder, placeholders as never).compile();
  return {
    sql: query.sql,
    parameters: query.parameters.map((value) =>
      value instanceof Placeholder ? { name: value.name } : { value: fixed(statement.name, value) },
    ),
  };
}

function fixed(name: string, value: unknown): SqlValue {
  assert(value === null || typeof value === "number" || typeof value === "string", `${name} binds plain values`);
  return value;
}
