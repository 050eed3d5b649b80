import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { describe, it } from "node:test";
import type { Result } from "../../src/lib/result.ts";
import { BODY_HEAD_OCTETS } from "../../src/model/body.ts";
import type { Uid } from "../../src/model/ids.ts";
import { recordingLog, testMetrics } from "../../src/observe/testing.ts";
import { systemDisk } from "../../src/store/disk.ts";
import { StoreError } from "../../src/store/ports.ts";
import type { Fault } from "./failing-disk.ts";
import { failingDisk } from "./failing-disk.ts";
import { openInThread } from "./store-adapters.ts";
import { assertConsistent } from "./store-consistency.ts";
import { addAccount, content, deliver, deliveryOf, memoryBody, must, place, uids } from "./store-world.ts";

async function world() {
  const { disk, faults, calls } = failingDisk();
  const { log, events } = recordingLog();
  const { metrics, sample } = testMetrics();
  const under = await openInThread({ disk, log, metrics });
  const { store } = under;
  const ann = await addAccount(store, "ann");
  await deliver(store, ann, "before\r\n");
  const append = (text: string) => store.mail.append(deliveryOf(memoryBody(store, text), ann));
  const names = () => events.map(({ event }) => event).filter((event) => event !== "store.opened");
  const failures = (reason: string) => sample(`mailkeep_store_failures_total{reason="${reason}"}`);
  const close = async (): Promise<void> => under[Symbol.asyncDispose]();
  return { under, store, ann, append, faults, calls, names, failures, [Symbol.asyncDispose]: close };
}

function failure(outcome: Result<unknown, string>): string | undefined {
  return outcome.ok ? undefined : outcome.error;
}

describe("a store whose disk fails", () => {
  const full: Fault = { kind: "full" };
  const failed: Fault = { kind: "failed" };

  it("answers full while there is no room, still removes, and goes on when there is", async () => {
    await using at = await world();
    at.faults.set("writevSync", full);
    assert.deepEqual(await at.append("one\r\n"), { ok: false, error: "full" });
    assert.deepEqual(await at.append("two\r\n"), { ok: false, error: "full" });
    assert.equal(await at.store.upkeep.state(), "full");
    assert.deepEqual(await at.store.mail.expunge(at.ann.inbox, Uint32Array.of(1)), { ok: true, value: { removed: 1 } });
    assert.equal(await at.store.upkeep.state(), "full");
    assert.deepEqual(at.names(), ["store.full"]);
    assert.equal(at.failures("full"), 4);
    at.faults.clear();
    must(await at.append("three\r\n"));
    assert.deepEqual(at.names(), ["store.full", "store.recovered"]);
    assert.deepEqual(await uids(at.store, at.ann.inbox), [2]);
    assert.equal((await content(at.store, at.ann.inbox, 2 as Uid)).toString(), "three\r\n");
  });

  it("finds out by itself, when asked, that there is room again", async () => {
    await using at = await world();
    at.faults.set("writevSync", full);
    assert.deepEqual(await at.append("one\r\n"), { ok: false, error: "full" });
    at.faults.clear();
    assert.equal(await at.store.upkeep.state(), "ok");
    assert.deepEqual(at.names(), ["store.full", "store.recovered"]);
    must(await at.append("two\r\n"));
    assert.equal((await content(at.store, at.ann.inbox, 2 as Uid)).toString(), "two\r\n");
  });

  it("takes back what a full disk took of a body", async () => {
    await using at = await world();
    const segment = path.join(at.under.folder, "bodies/segments/00000001");
    const before = fs.statSync(segment).size;
    at.faults.set("writevSync", full);
    await at.append("one\r\n");
    assert.equal(fs.statSync(segment).size, before);
    at.faults.set("ftruncateSync", failed);
    await at.append("one\r\n");
    at.faults.clear();
    must(await at.append("two\r\n"));
    assert.equal((await place(at.store, at.ann.inbox, 2 as Uid)).segment, 2);
  });

  it("P1: fails the whole group when a sync fails, and acknowledges nothing more until a restart", async () => {
    await using at = await world();
    at.faults.set("fdatasyncSync", failed);
    const outcomes = await Promise.all([
      at.append("one\r\n"),
      at.store.mail.expunge(at.ann.inbox, Uint32Array.of(1)),
      at.append("two\r\n"),
    ]);
    assert.deepEqual(outcomes.map(failure), ["failed", "failed", "failed"]);
    assert.deepEqual(at.names(), ["store.stopped"]);
    at.faults.clear();
    const written = at.calls.length;
    // Also not what writes no body, and nothing is tried on the disk: it would only look as if all were well.
    assert.deepEqual(await at.append("three\r\n"), { ok: false, error: "failed" });
    assert.deepEqual(await at.store.mail.expunge(at.ann.inbox, Uint32Array.of(1)), { ok: false, error: "failed" });
    await assert.rejects(at.store.upkeep.reclaim(0), { name: "StoreError", kind: "unavailable" });
    assert.equal(await at.store.upkeep.state(), "stopped");
    assert.deepEqual(at.calls.slice(written), []);
    assert.deepEqual(at.names(), ["store.stopped"]);
    assert.deepEqual(await uids(at.store, at.ann.inbox), [1]);
    assert.equal((await content(at.store, at.ann.inbox, 1 as Uid)).toString(), "before\r\n");
    await at.under.reopen();
    must(await at.under.store.mail.append(deliveryOf(memoryBody(at.under.store, "three\r\n"), at.ann)));
    const before = await place(at.under.store, at.ann.inbox, 1 as Uid);
    const after = await place(at.under.store, at.ann.inbox, 2 as Uid);
    assert.equal(before.segment, 1);
    assert.ok((after.segment ?? 0) > 1);
    assert.equal((await content(at.under.store, at.ann.inbox, 2 as Uid)).toString(), "three\r\n");
  });

  it("says that it fails for as long as no body can be written, and says it once", async () => {
    await using at = await world();
    at.faults.set("writevSync", failed);
    assert.deepEqual(await at.append("one\r\n"), { ok: false, error: "failed" });
    assert.equal(await at.store.upkeep.state(), "failed");
    const [body, removal] = await Promise.all([
      at.append("two\r\n"),
      at.store.mail.expunge(at.ann.inbox, Uint32Array.of(1)),
    ]);
    assert.deepEqual(body, { ok: false, error: "failed" });
    assert.deepEqual(removal, { ok: true, value: { removed: 1 } });
    assert.equal(await at.store.upkeep.state(), "failed");
    assert.deepEqual(at.names(), ["store.failed"]);
    at.faults.clear();
    must(await at.append("three\r\n"));
    assert.deepEqual(at.names(), ["store.failed", "store.recovered"]);
  });

  it("fails while no new segment can be made", async () => {
    await using at = await world();
    at.faults.set("writevSync", failed);
    await at.append("one\r\n");
    at.faults.clear();
    at.faults.set("openSync", failed);
    assert.deepEqual(await at.append("two\r\n"), { ok: false, error: "failed" });
    at.faults.clear();
    must(await at.append("three\r\n"));
    assert.deepEqual(at.names(), ["store.failed", "store.recovered"]);
  });

  it("P1: stops when a new segment or its name cannot be synced", async () => {
    for (const verb of ["fdatasyncSync", "fsyncFolderSync"] as const) {
      await using at = await world();
      at.faults.set("writevSync", failed);
      await at.append("one\r\n");
      at.faults.clear();
      at.faults.set(verb, failed);
      assert.deepEqual(await at.append("two\r\n"), { ok: false, error: "failed" });
      at.faults.clear();
      assert.deepEqual(await at.append("three\r\n"), { ok: false, error: "failed" });
      assert.deepEqual(at.names(), ["store.failed", "store.stopped"]);
    }
  });

  it("P8: fails one spooled body alone when its file cannot be put in place, but all when it cannot be synced", async () => {
    await using at = await world();
    const spooled = async () => {
      const spool = await at.store.bodies.spool();
      await spool.write(Buffer.from("large\r\n"));
      return deliveryOf(await spool.finish(Buffer.from("Head: 1\r\n")), at.ann);
    };
    at.faults.set("renameSync", failed);
    const [own, other] = await Promise.all([at.store.mail.append(await spooled()), at.append("beside\r\n")]);
    assert.deepEqual(own, { ok: false, error: "failed" });
    must(other);
    at.faults.clear();
    at.faults.set("fsyncFolderSync", failed);
    const outcomes = await Promise.all([at.store.mail.append(await spooled()), at.append("in doubt\r\n")]);
    assert.deepEqual(outcomes.map(failure), ["failed", "failed"]);
    at.faults.clear();
    assert.deepEqual(await at.store.mail.append(await spooled()), { ok: false, error: "failed" });
    await at.under.reopen();
    must(await at.under.store.mail.append(await spooled()));
    assert.deepEqual(await uids(at.under.store, at.ann.inbox), [1, 2, 3]);
    assert.equal((await content(at.under.store, at.ann.inbox, 3 as Uid)).toString(), "Head: 1\r\nlarge\r\n");
  });

  it("tells a spool that its disk is full or failed, and when what it reads is not what it wrote", async () => {
    await using at = await world();
    const spool = await at.store.bodies.spool();
    await spool.write(Buffer.from("some"));
    at.faults.set("write", full);
    const isFull = (cause: unknown) => cause instanceof StoreError && cause.kind === "unavailable" && cause.full;
    await assert.rejects(spool.write(Buffer.from("more")), isFull);
    at.faults.clear();
    await assert.rejects(spool.write(Buffer.from("more")), isFull);
    await assert.rejects(spool.finish(Buffer.from("")), isFull);
    await spool.discard();
    at.faults.set("openSync", full);
    await assert.rejects(at.store.bodies.spool(), isFull);
    at.faults.clear();

    const changed = await at.store.bodies.spool();
    await changed.write(Buffer.from("some"));
    const [name = ""] = fs.readdirSync(path.join(at.under.folder, "bodies/spool"));
    const file = path.join(at.under.folder, "bodies/spool", name);
    fs.writeFileSync(file, fs.readFileSync(file).fill("x", 16 * 1024));
    await assert.rejects(changed.finish(Buffer.from("")), { name: "StoreError", full: false });
    await changed.discard();
    assert.deepEqual(fs.readdirSync(path.join(at.under.folder, "bodies/spool")), []);
  });

  it("closes a spool once, whatever the disk says: its descriptor may be another file's by then", async () => {
    await using at = await world();
    const closed: string[] = [];
    const note = (file: string): boolean => closed.push(file) > 0;
    at.faults.set("closeSync", { kind: "failed", when: note });
    const spool = await at.store.bodies.spool();
    await assert.rejects(spool.finish(Buffer.from("")), { name: "StoreError", kind: "unavailable" });
    await spool.discard();
    assert.equal(closed.length, 1);
    const other = await at.store.bodies.spool();
    await other.discard();
    assert.equal(closed.length, 2);
    at.faults.clear();
    for (const file of closed) systemDisk.closeSync(Number(file));
    assert.deepEqual(fs.readdirSync(path.join(at.under.folder, "bodies/spool")), []);
  });

  it("tells a reader that the disk does not answer, and that is not damage", async () => {
    await using at = await world();
    const where = await place(at.store, at.ann.inbox, 1 as Uid);
    const file = at.store.bodies.open(where);
    assert.ok(file);
    at.faults.set("readSync", failed);
    at.faults.set("read", failed);
    assert.throws(() => file.readSync(Buffer.alloc(9), 0), { kind: "unavailable" });
    await assert.rejects(file.read(Buffer.alloc(9), 0), { kind: "unavailable" });
    assert.throws(() => file.readSync(Buffer.alloc(99), -BODY_HEAD_OCTETS), { kind: "unavailable" });
    file.close();
  });

  it("P2: takes and gives back removed mail while no body can be written, and says when it cannot tell the space", async () => {
    await using at = await world();
    at.faults.set("writevSync", full);
    assert.deepEqual(await at.append("one\r\n"), { ok: false, error: "full" });
    const cause = { session: "s", device: "phone", peer: "", kind: "removed", keep: true } as const;
    assert.equal(must(await at.store.mail.expunge(at.ann.inbox, Uint32Array.of(1), cause)).removed, 1);
    assert.equal(must(await at.store.mail.restore(at.ann.inbox, {}, cause)).restored, 1);
    assert.equal((await content(at.store, at.ann.inbox, 2 as Uid)).toString(), "before\r\n");
    at.faults.set("space", failed);
    await assert.rejects(at.store.upkeep.space(), { name: "StoreError", kind: "unavailable" });
    // In doubt about its disk, a store changes nothing at all.
    at.faults.set("fdatasyncSync", failed);
    at.faults.delete("writevSync");
    assert.deepEqual(await at.append("two\r\n"), { ok: false, error: "failed" });
    assert.deepEqual(await at.store.mail.expunge(at.ann.inbox, Uint32Array.of(2), cause), {
      ok: false,
      error: "failed",
    });
    assert.deepEqual(await at.store.mail.removedMessages(at.ann.inbox, { limit: 9 }), []);
    assert.equal((await at.store.history.entries({ mailbox: at.ann.inbox, limit: 9, mostUids: 9 })).length, 2);
    at.faults.clear();
    assertConsistent(at.under.folder);
  });

  it("keeps living mail when reclaim cannot copy it", async () => {
    await using at = await world();
    await deliver(at.store, at.ann, "second\r\n");
    must(await at.store.mail.expunge(at.ann.inbox, Uint32Array.of(1)));
    assert.equal((await at.store.upkeep.reclaim(0)).more, false);
    at.faults.set("writevSync", full);
    await assert.rejects(
      async () => {
        while ((await at.store.upkeep.reclaim(1e15)).more);
      },
      { full: true },
    );
    at.faults.clear();
    while ((await at.store.upkeep.reclaim(1e15)).more);
    assert.equal((await content(at.store, at.ann.inbox, 2 as Uid)).toString(), "second\r\n");
    assert.equal((await place(at.store, at.ann.inbox, 2 as Uid)).segment !== 1, true);
  });
});
