import assert from "node:assert/strict";
import fs from "node:fs";
import { describe, it } from "node:test";
import type { MailboxId } from "../../src/model/ids.ts";
import type { Delivery } from "../../src/store/ports.ts";
import { StoreError } from "../../src/store/ports.ts";
import { delivery, largeDelivery, writerWorld } from "./writer-world.ts";

function withName(given: Delivery, uidl: string): Delivery {
  return { ...given, recipients: given.recipients.map((recipient) => ({ ...recipient, uidl })) };
}

function filesOf(folder: string): string[] {
  return fs.readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.includes("/"));
}

describe("the writer", () => {
  it("answers full when the database has no room, still removes, and goes on when there is", async () => {
    await using at = await writerWorld();
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

  it("empties the log into the database after the answers, when it has grown long", async () => {
    await using at = await writerWorld();
    const octets = () => fs.statSync(at.layout.database).size;
    const before = octets();
    let longest = 0;
    while (octets() === before) {
      await at.store.append(delivery("x"));
      longest = Math.max(longest, at.sql.unsettledPages());
    }
    assert.ok(longest >= 999, `it had ${longest} pages`);
    assert.ok(at.sql.unsettledPages() < 50);
  });

  it("P1: stops when the log cannot be synced into the database, and keeps what it acknowledged", async () => {
    await using at = await writerWorld();
    at.sql.settle = () => {
      throw new StoreError("unavailable", "the sync was made to fail", { sync: true });
    };
    let stored = 0;
    let outcome = await at.store.append(delivery("x"));
    for (; outcome.ok; outcome = await at.store.append(delivery("x"))) stored += 1;
    assert.deepEqual(outcome, { ok: false, error: "failed" });
    assert.equal(await at.store.state(), "stopped");
    assert.deepEqual(
      at.events.map(({ event }) => event),
      ["store.stopped"],
    );
    assert.equal(at.sql.query("select count(*) as messages from message")[0]?.["messages"], stored);
  });

  it("P2: keeps mail where it is when there is no room to keep it for undelete, and still removes it for good", async () => {
    await using at = await writerWorld();
    const many = Uint8Array.from({ length: 200 }, (_, index) => index + 1);
    await Promise.all(Array.from(many, () => at.store.append(delivery("x"))));
    const cause = { session: "s", device: "phone", peer: "192.0.2.7", kind: "removed", keep: true } as const;
    at.sql.query(`pragma max_page_count = ${at.pages()}`);
    const left = () => {
      const count = (text: string) => Number(at.sql.query(text)[0]?.["messages"]);
      return [count("select count(*) as messages from message"), count("select messages from mailbox where id = 1")];
    };
    const kept = await at.store.expunge(1 as MailboxId, Uint32Array.from(many), cause);
    assert.deepEqual(kept, { ok: false, error: "full" });
    assert.deepEqual(left(), [200, 200]);
    const gone = await at.store.expunge(1 as MailboxId, Uint32Array.from(many), { ...cause, keep: false });
    assert.deepEqual(gone, { ok: true, value: { removed: 200 } });
    assert.deepEqual(left(), [0, 0]);
  });

  it("keeps no body on a full disk for which there was no room in the database", async () => {
    await using at = await writerWorld();
    at.sql.query(`pragma max_page_count = ${at.pages()}`);
    let outcome = await at.store.append(delivery("x"));
    while (outcome.ok) outcome = await at.store.append(delivery("x"));
    // A row that needs a page of its own fits nowhere, whatever is left in the others.
    const tooLong = async (text: string) => withName(await largeDelivery(at.layout, text), "u".repeat(5000));
    assert.deepEqual(await at.store.append(await tooLong("large\r\n")), { ok: false, error: "full" });
    const [alone, beside] = await Promise.all([
      at.store.append(await tooLong("another\r\n")),
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
    await using at = await writerWorld();
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
    await using at = await writerWorld();
    const large = { ...delivery("x"), body: { ...delivery("x").body, octets: 2 ** 21 } as Delivery["body"] };
    await assert.rejects(at.store.append(large), /a body in memory is small/);
    const nameless = at.store.addAccounts([{ address: undefined as never } as never], 1);
    const beside = at.store.append(delivery("beside"));
    await assert.rejects(nameless);
    assert.equal((await beside).ok, true);
    assert.equal((await at.store.append(delivery("after"))).ok, true);
  });

  it("calls back once what was asked before has been answered", async () => {
    await using at = await writerWorld();
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
