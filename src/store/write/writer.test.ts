import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { describe, it } from "node:test";
import { crc32 } from "node:zlib";
import { systemClock } from "../../lib/clock.ts";
import type { AccountId, MailboxId } from "../../model/ids.ts";
import { recordingLog, testMetrics } from "../../observe/testing.ts";
import { openSpool } from "../bodies/spool.ts";
import { systemDisk } from "../disk.ts";
import type { Layout } from "../layout.ts";
import { layoutOf } from "../layout.ts";
import { migrate, openDatabase } from "../open-database.ts";
import type { Delivery } from "../ports.ts";
import { sweep } from "../sweep.ts";
import { writeVerbs } from "./verbs.ts";
import { Writer } from "./writer.ts";

async function world() {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "mailkeep-writer-"));
  const layout = layoutOf(folder);
  const opened = await openDatabase(layout, systemDisk);
  assert.ok(opened.ok);
  const sql = opened.value.connection;
  await migrate(opened.value);
  await sweep(sql, systemDisk, layout, 0);
  const { log, events } = recordingLog();
  const { metrics, sample } = testMetrics();
  const parts = { sql, disk: systemDisk, layout, log, metrics, clock: systemClock, announce: () => undefined };
  const writer = new Writer(parts);
  const store = writeVerbs((request) => writer.submit(request));
  await store.addDomain("example.test" as never, 1);
  const quota = { octets: null, messages: null };
  await store.addAccounts([{ address: "ann@example.test" as never, secret: "", enabled: true, quota }], 1);
  const pages = () => Number(sql.query("pragma page_count")[0]?.["page_count"]);
  return {
    sql,
    layout,
    writer,
    store,
    events,
    sample,
    pages,
    [Symbol.asyncDispose]: async () => {
      await writer[Symbol.asyncDispose]();
      fs.rmSync(folder, { recursive: true });
    },
  };
}

function delivery(text: string): Delivery {
  const octets = Buffer.from(text);
  const buffer = new ArrayBuffer(64 + octets.length);
  new Uint8Array(buffer).set(octets, 64);
  const sha256 = createHash("sha256").update(octets).digest();
  return {
    body: { kind: "memory", buffer, start: 64, octets: octets.length, crc32: crc32(octets), sha256, dotted: false },
    received: 1,
    octetsDowngraded: octets.length,
    recipients: [{ account: 1 as AccountId, mailbox: 1 as MailboxId, quota: null, uidl: "u".repeat(60) }],
  };
}

/** A delivery whose body is a file of its own, spooled and synced. */
async function largeDelivery(layout: Layout, text: string): Promise<Delivery> {
  const spool = await openSpool(systemDisk, layout);
  await spool.write(Buffer.from(text));
  return { ...delivery(text), body: await spool.finish(Buffer.from("Head: 1\r\n")) };
}

function filesOf(folder: string): string[] {
  return fs.readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.includes("/"));
}

describe("the writer", () => {
  it("answers full when the database has no room, still removes, and goes on when there is", async () => {
    await using at = await world();
    for (let round = 0; round < 5; round += 1) await at.store.append(delivery("before"));
    at.sql.query(`pragma max_page_count = ${at.pages()}`);
    let outcome = await at.store.append(delivery("x"));
    while (outcome.ok) outcome = await at.store.append(delivery("x"));
    assert.deepEqual(outcome, { ok: false, error: "full" });
    const together = await Promise.all([
      ...Array.from({ length: 40 }, () => at.store.append(delivery("x"))),
      at.store.expunge(1 as MailboxId, Uint32Array.of(1, 2)),
    ]);
    assert.deepEqual(together.pop(), { ok: true, value: { removed: 2 } });
    assert.ok(together.every((each) => !each.ok && each.error === "full"));
    at.sql.query("pragma max_page_count = 100000");
    const next = await at.store.append(delivery("after"));
    assert.equal(next.ok && next.value[0]?.ok, true);
    const names = at.events.map(({ event }) => event);
    assert.deepEqual(names, ["store.full", "store.recovered"]);
  });

  it("keeps no body on a full disk for which there was no room in the database", async () => {
    await using at = await world();
    at.sql.query(`pragma max_page_count = ${at.pages()}`);
    let outcome = await at.store.append(delivery("x"));
    while (outcome.ok) outcome = await at.store.append(delivery("x"));
    const large = await largeDelivery(at.layout, "large\r\n");
    assert.deepEqual(await at.store.append(large), { ok: false, error: "full" });
    const [alone, beside] = await Promise.all([
      at.store.append(await largeDelivery(at.layout, "another\r\n")),
      at.store.expunge(1 as MailboxId, Uint32Array.of(1)),
    ]);
    assert.deepEqual(
      [alone, beside],
      [
        { ok: false, error: "full" },
        { ok: true, value: { removed: 1 } },
      ],
    );
    // The writer puts its files in order after the answers.
    await at.writer.drain();
    assert.deepEqual(filesOf(at.layout.files), []);
  });

  it("commits what waits together, in order, and each unit by itself", async () => {
    await using at = await world();
    const outcomes = await Promise.all([
      at.store.append(delivery("one")),
      at.store.addDomain("example.test" as never, 1),
      at.store.append(delivery("two")),
      at.store.expunge(1 as MailboxId, Uint32Array.of(1)),
    ]);
    assert.deepEqual(outcomes, [
      { ok: true, value: [{ ok: true, value: 1 }] },
      { ok: false, error: "exists" },
      { ok: true, value: [{ ok: true, value: 2 }] },
      { ok: true, value: { removed: 1 } },
    ]);
    assert.equal(at.sample('mailkeep_store_group_units_bucket{le="5"}'), 3);
    assert.equal(at.sample('mailkeep_store_group_units_bucket{le="2"}'), 2);
    assert.equal(at.sample("mailkeep_store_commit_seconds_count"), 3);
  });

  it("rejects a request that is a mistake, and does the others of its group", async () => {
    await using at = await world();
    const large = { ...delivery("x"), body: { ...delivery("x").body, octets: 2 ** 21 } as Delivery["body"] };
    await assert.rejects(at.store.append(large), /a body in memory is small/);
    const nameless = at.store.addAccounts([{ address: undefined as never } as never], 1);
    const beside = at.store.append(delivery("beside"));
    await assert.rejects(nameless);
    assert.equal((await beside).ok, true);
    assert.equal((await at.store.append(delivery("after"))).ok, true);
  });

  it("calls back once what was asked before has been answered", async () => {
    await using at = await world();
    const order: string[] = [];
    const appended = at.store.append(delivery("one")).then(() => order.push("answered"));
    const after = new Promise<void>((resolve) => {
      at.writer.afterAnswers(() => {
        order.push("after");
        resolve();
      });
    });
    await Promise.all([appended, after]);
    assert.deepEqual(order, ["answered", "after"]);
  });
});
