import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { describe, it } from "node:test";
import { migrate } from "../open-database.ts";
import { compileStatement } from "./compile.ts";
import { compileReadStatements } from "./read-statements.ts";
import { SqliteConnection } from "./sqlite.ts";

/** An empty database of the newest schema. */
async function database(): Promise<Disposable & { plan: (text: string) => string[] }> {
  const sql = new DatabaseSync(":memory:");
  await migrate({ connection: new SqliteConnection(sql, compileStatement), version: 0 });
  return {
    plan: (text) => {
      const asked = Array.from({ length: text.split("?").length - 1 }, () => 1);
      const steps = sql.prepare(`explain query plan ${text}`).all(...asked);
      return steps.map((step) => String(step["detail"]));
    },
    [Symbol.dispose]: () => sql.close(),
  };
}

describe("the plans of statements that only read", () => {
  it("sum up all accounts by indexes alone, for every protocol thread asks twice a second", async () => {
    using at = await database();
    const text = compileReadStatements(compileStatement)["account.summary"]?.sql ?? "";
    const steps = at.plan(text).filter((step) => step.includes("account"));
    assert.equal(steps.length, 4);
    for (const step of steps) assert.match(step, /^SEARCH account USING COVERING INDEX account_\w+ \(enabled=\?/);
  });

  it("read no table from end to end, but where all of it was asked for", async () => {
    using at = await database();
    const scans = Object.entries(compileReadStatements(compileStatement)).flatMap(([name, { sql }]) =>
      at
        .plan(sql)
        .filter((step) => /^SCAN (?!CONSTANT)/.test(step))
        .map((step) => `${name}: ${step}`),
    );
    assert.deepEqual(scans.toSorted(), [
      "domain.list: SCAN domain",
      "mailbox.removedTotal: SCAN mailbox",
      "schema.version: SCAN schema_version",
      "scrub.all: SCAN scrub",
    ]);
  });
});
