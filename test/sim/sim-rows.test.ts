import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Domain } from "../../src/model/address.ts";
import { layoutOf } from "../../src/store/layout.ts";
import { deleteDomain, hasDomain, insertDomain, listDomains } from "../../src/store/sql/domains.ts";
import type { RowsConnection, Sql } from "../../src/store/sql/statement.ts";
import { transaction } from "../../src/store/sql/statement.ts";
import { Random } from "../e2e/harness/random.ts";
import { must } from "../contracts/store-world.ts";
import type { Fault, Machine } from "./machine.ts";
import { createMachine, ProcessEnded } from "./machine.ts";

const hooks = { step: () => undefined, later: async <T>(work: () => T): Promise<T> => work() };
const layout = layoutOf("/data");
const SEEDS = 100;

type Life = { readonly sql: RowsConnection; readonly reader: Sql };

async function boot(machine: Machine): Promise<Life> {
  const { disk, rows } = machine.boot(hooks);
  const { connection } = must(await rows.open(layout, disk));
  return { sql: connection, reader: rows.openForReading(layout) };
}

async function started(options: { readonly seed?: number } = {}): Promise<Life & { readonly machine: Machine }> {
  const machine = createMachine(options);
  return { machine, ...(await boot(machine)) };
}

/** Adds domains, one letter each, in one transaction. */
async function add(sql: RowsConnection, letters: string): Promise<void> {
  await transaction(sql, async () => {
    for (const letter of letters) await insertDomain(sql, letter as Domain, 1);
  });
}

function there(machine: Machine): string {
  return machine
    .query("select name from domain order by name")
    .map((row) => row["name"])
    .join("");
}

function failAt(machine: Machine, verb: string, fault: Fault): void {
  machine.faults = (asked) => (asked === verb ? fault : undefined);
}

async function outcomes(life: (seed: number) => Promise<Machine>): Promise<string> {
  const found = new Set<string>();
  for (let seed = 1; seed <= SEEDS; seed += 1) found.add(there(await life(seed)));
  return [...found].toSorted().join();
}

/** A life that ends with a commit whose sync failed, after "a" was committed. */
async function inDoubt(seed: number): Promise<Life & { readonly machine: Machine }> {
  const life = await started({ seed });
  await add(life.sql, "a");
  failAt(life.machine, "rows.commit", "sync");
  await assert.rejects(add(life.sql, "bc"), { name: "StoreError", kind: "unavailable", full: false, sync: true });
  life.machine.faults = undefined;
  return life;
}

describe("simulated rows", () => {
  it("keeps what was committed, and undoes what was not, whatever ends the process", async () => {
    for (const end of ["kill", "cutPower"] as const) {
      const { machine, sql } = await started();
      await add(sql, "ab");
      sql.begin();
      await insertDomain(sql, "c" as Domain, 1);
      machine[end](new Random(1));
      assert.equal(there(machine), "ab");
      assert.throws(() => sql.commit(), ProcessEnded);
      const next = await boot(machine);
      await add(next.sql, "c");
      assert.equal(there(machine), "abc");
    }
  });

  it("is as it was after a commit that did not happen, and says why", async () => {
    const { machine, sql } = await started();
    failAt(machine, "rows.commit", "io");
    await assert.rejects(add(sql, "a"), { name: "StoreError", kind: "unavailable", full: false, sync: false });
    failAt(machine, "rows.commit", "full");
    await assert.rejects(add(sql, "a"), { name: "StoreError", kind: "unavailable", full: true, sync: false });
    assert.equal(sql.inTransaction(), false);
    machine.kill();
    assert.equal(there(machine), "");
  });

  it("may bring a commit back whose sync failed, all of it or nothing, in the next process", async () => {
    const { machine, reader } = await inDoubt(1);
    assert.equal(await hasDomain(reader, "b" as Domain), false);
    assert.equal(there(machine), "a");
    const ends = {
      kill: async (seed: number) => {
        const life = await inDoubt(seed);
        life.machine.kill();
        return life.machine;
      },
      cut: async (seed: number) => {
        const life = await inDoubt(seed);
        life.machine.cutPower(new Random(seed));
        return life.machine;
      },
    };
    assert.equal(await outcomes(ends.kill), "a,abc");
    assert.equal(await outcomes(ends.cut), "a,abc");
  });

  it("forgets a commit whose sync failed once another one takes its place in the log", async () => {
    const found = await outcomes(async (seed) => {
      const { machine, sql } = await inDoubt(seed);
      await add(sql, "d");
      machine.kill();
      machine.cutPower(new Random(seed));
      return machine;
    });
    assert.equal(found, "ad");
  });

  it("loses with a commit that was never synced all behind it, unless a start wrote the log again", async () => {
    const life = (later: "same" | "next") => async (seed: number) => {
      const { machine } = await inDoubt(seed);
      machine.kill();
      const here = there(machine);
      if (later === "next") {
        failAt(machine, "rows.settle", "full");
        const { sql } = await boot(machine);
        await add(sql, "d");
        machine.kill();
        assert.equal(there(machine), `${here}d`);
      }
      machine.cutPower(new Random(seed));
      return machine;
    };
    assert.equal(await outcomes(life("same")), "a,abc");
    assert.equal(await outcomes(life("next")), "abcd,ad");
  });

  it("is not opened where the log cannot be written again or settled, but for want of room", async () => {
    const { machine, sql } = await started();
    await add(sql, "a");
    machine.kill();
    const refusals: unknown[] = [];
    for (const verb of ["rows.rewrite", "rows.settle"])
      for (const fault of ["sync", "io", "full"] as const) {
        failAt(machine, verb, fault);
        const { disk, rows } = machine.boot(hooks);
        const opened = await rows.open(layout, disk);
        refusals.push(opened.ok ? "opened" : opened.error.kind);
        machine.kill();
      }
    assert.deepEqual(refusals, ["failed", "failed", "full", "failed", "failed", "opened"]);
  });

  it("lets the log grow until it is settled", async () => {
    const { machine, sql } = await started();
    assert.equal(sql.unsettledPages(), 0);
    await add(sql, "a");
    assert.ok(sql.unsettledPages() > 0);
    failAt(machine, "rows.settle", "sync");
    assert.throws(() => sql.settle(), { name: "StoreError", sync: true });
    machine.faults = undefined;
    sql.settle();
    assert.equal(sql.unsettledPages(), 0);
  });

  it("shows a reader only what is committed, once the transaction that is open has ended", async () => {
    const { sql, reader } = await started();
    sql.begin();
    await insertDomain(sql, "a" as Domain, 1);
    const read = reader.all(listDomains, {});
    sql.rollback();
    assert.deepEqual(await read, []);
    sql.begin();
    const second = reader.all(listDomains, {});
    await insertDomain(sql, "b" as Domain, 1);
    sql.commit();
    assert.deepEqual(await second, [{ name: "b" }]);
    await assert.rejects(deleteDomain(reader, "b" as Domain), { name: "StoreError" });
  });

  it("ends the whole transaction where a statement fails, and only the statement where the disk is full", async () => {
    const { machine, sql, reader } = await started();
    sql.begin();
    await insertDomain(sql, "a" as Domain, 1);
    failAt(machine, "rows.run", "full");
    await assert.rejects(insertDomain(sql, "b" as Domain, 1), { name: "StoreError", full: true });
    assert.equal(sql.inTransaction(), true);
    failAt(machine, "rows.run", "io");
    await assert.rejects(insertDomain(sql, "c" as Domain, 1), { name: "StoreError", full: false });
    assert.equal(sql.inTransaction(), false);
    failAt(machine, "rows.read", "io");
    await assert.rejects(reader.all(listDomains, {}), { name: "StoreError", kind: "unavailable" });
    failAt(machine, "rows.read", "rot");
    await assert.rejects(reader.all(listDomains, {}), { name: "StoreError", kind: "damaged" });
    assert.equal(there(machine), "");
  });

  it("shares the disk with the files", async () => {
    const { machine, sql } = await started();
    const octets = machine.query("pragma page_count")[0]?.["page_count"];
    machine.capacityOctets = Number(octets) * 4096;
    const many = Array.from({ length: 2000 }, (_, index) => `${index}.example`);
    const addMany = () =>
      transaction(sql, async () => {
        for (const name of many) await insertDomain(sql, name as Domain, 1);
      });
    await assert.rejects(addMany(), { name: "StoreError", full: true });
    assert.equal(there(machine), "");
    machine.capacityOctets = 2 ** 40;
    await addMany();
    assert.equal(machine.query("select count(*) as count from domain")[0]?.["count"], 2000);
  });

  it("refuses the rows of a later program", async () => {
    const { machine } = await started();
    machine.kill();
    machine.query("update schema_version set version = 1000");
    const { disk, rows } = machine.boot(hooks);
    const opened = await rows.open(layout, disk);
    assert.equal(opened.ok ? "opened" : opened.error.kind, "newer");
  });
});
