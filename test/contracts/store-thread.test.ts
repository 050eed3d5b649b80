import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, it } from "node:test";
import { Worker } from "node:worker_threads";
import type { StoreThread } from "../../src/store/thread/start.ts";
import { startStoreThread } from "../../src/store/thread/start.ts";
import { createObserve } from "../../src/observe/observe.ts";
import { openBehindThread, temporaryFolder } from "./store-adapters.ts";
import { addAccount, content, deliver, deliverMany, deliveryOf, memoryBody, must, uids } from "./store-world.ts";

async function clientWorker(thread: StoreThread, work: object): Promise<Worker> {
  const connection = thread.connect();
  const worker = new Worker(new URL("./store-client-worker.ts", import.meta.url), {
    workerData: { connection, ...work },
    transferList: [connection.port],
  });
  const [said] = await once(worker, "message");
  assert.equal(said, "ready");
  return worker;
}

describe("the store thread", () => {
  it("shows what one client wrote to another at once", async () => {
    await using under = await openBehindThread();
    const ann = await addAccount(under.store, "ann");
    for (let count = 1; count <= 20; count += 1) {
      const uid = await deliver(under.store, ann, `number ${count}\r\n`);
      assert.equal((await content(under.another(), ann.inbox, uid)).toString(), `number ${count}\r\n`);
    }
    assert.deepEqual(await under.another().directory.account(ann.address), ann);
  });

  it("gives buffers back to be used again", async () => {
    await using under = await openBehindThread();
    const ann = await addAccount(under.store, "ann");
    const body = memoryBody(under.store, "x".repeat(30_000));
    assert.ok(body.kind === "memory");
    const size = body.buffer.byteLength;
    must(await under.store.mail.append(deliveryOf(body, ann)));
    assert.equal(body.buffer.byteLength, 0);
    const again = under.store.bodies.buffer(30_000);
    assert.equal(again.byteLength, size);
    assert.equal(Buffer.from(again).includes("xxx"), true);
  });

  it("rejects what waits, and tells every client, when it dies", async () => {
    await using under = await openBehindThread();
    const ann = await addAccount(under.store, "ann");
    await deliver(under.store, ann, "kept\r\n");
    const waiting = [deliver(under.store, ann, "lost?\r\n"), under.another().upkeep.state()];
    under.thread.connect().port.postMessage("nothing that it understands");
    const died = await under.thread.ended;
    assert.match(String(died), /store thread died/);
    const outcomes = await Promise.allSettled(waiting);
    for (const outcome of outcomes) {
      assert.ok(outcome.status === "fulfilled" || outcome.reason.kind === "unavailable");
    }
    await assert.rejects(under.store.mail.expunge(ann.inbox, Uint32Array.of(1)), { kind: "unavailable" });
    await assert.rejects(under.another().upkeep.state(), { kind: "unavailable" });
    assert.deepEqual(under.losses, Array(2).fill("the store thread is gone"));
    assert.deepEqual((await uids(under.store, ann.inbox))[0], 1);
    await assert.rejects(async () => under.thread[Symbol.asyncDispose](), /store thread died/);
  });

  it("refuses to start on a store that it cannot open, and ends", async () => {
    using temporary = temporaryFolder();
    using observe = createObserve({ level: "error", format: "json", slots: 2, version: "0" });
    const folder = `${temporary.folder}/gone`;
    const started = await startStoreThread({ folder, observe: observe.shareWith(1).value });
    assert.equal(!started.ok && started.error.kind, "failed");
  });

  it("P4: frees the leases of a thread that died, an UPDATE's only after it is decided", async () => {
    await using under = await openBehindThread();
    const { store } = under;
    const ann = await addAccount(store, "ann");
    await deliverMany(store, ann, 100);
    const all = Array.from({ length: 100 }, (_, index) => index + 1);
    const worker = await clientWorker(under.thread, { hold: ann.junk, update: ann.inbox, uids: all });
    assert.equal(store.leases.held(ann.inbox), true);
    assert.deepEqual(await store.leases.acquire(ann.junk, { waitMs: 0 }, () => undefined), {
      ok: false,
      error: "in-use",
    });
    const inbox = store.leases.acquire(ann.inbox, { waitMs: 10_000 }, () => undefined);
    const junk = store.leases.acquire(ann.junk, { waitMs: 10_000 }, () => undefined);
    await worker.terminate();
    must(await inbox);
    assert.deepEqual(await uids(store, ann.inbox), []);
    must(await junk);
  });

  it("tells a session in another thread that its lease was taken over", async () => {
    await using under = await openBehindThread();
    const ann = await addAccount(under.store, "ann");
    const worker = await clientWorker(under.thread, { hold: ann.inbox });
    const lost = once(worker, "message");
    const lease = await under.store.leases.revoke(ann.inbox);
    assert.deepEqual(await lost, ["lost"]);
    assert.equal(lease.held(), true);
    await worker.terminate();
    lease.release();
  });
});
