import assert from "node:assert/strict";
import { describe, test, type TestContext } from "node:test";
import { err, ok, type Result } from "../lib/result.ts";
import type { Transfer } from "../model/history.ts";
import type { AccountId, MailboxId, Uid } from "../model/ids.ts";
import { recordingLog, testMetrics } from "../observe/testing.ts";
import { StoreError, type WriteFailure } from "../store/ports.ts";
import { gatherTransfers } from "./history.ts";

const transfer = (uid: number): Transfer => ({
  account: 1 as AccountId,
  mailbox: 2 as MailboxId,
  uid: uid as Uid,
  at: 0,
  kind: "sent",
  octets: 10,
  session: "s",
  device: "",
  peer: "192.0.2.1",
});

function house(t: TestContext) {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { log, events } = recordingLog();
  const { metrics, sample } = testMetrics();
  const written: number[][] = [];
  const store = { outcome: (): Promise<Result<void, WriteFailure>> => Promise.resolve(ok(undefined)) };
  const history = {
    note: (transfers: readonly Transfer[]) => {
      written.push(transfers.map(({ uid }) => uid));
      return store.outcome();
    },
  };
  const notes = gatherTransfers({ history, log, metrics });
  const add = (from: number, to: number): void => {
    for (let uid = from; uid <= to; uid += 1) notes.add(transfer(uid));
  };
  const second = async (): Promise<void> => {
    t.mock.timers.tick(1000);
    await new Promise(setImmediate);
  };
  return { store, written, notes, add, second, events, sample };
}

describe("transfers", () => {
  test("are written once a second in one batch, and nothing when there are none", async (t) => {
    const { written, add, second, notes } = house(t);
    add(1, 3);
    assert.deepEqual(written, []);
    await second();
    await second();
    add(4, 4);
    await second();
    assert.deepEqual(written, [[1, 2, 3], [4]]);
    await notes[Symbol.asyncDispose]();
    assert.equal(written.length, 2);
  });

  test("are written at dispose, also what came during a write", async (t) => {
    const { store, written, add, second, notes } = house(t);
    const slow = Promise.withResolvers<Result<void, WriteFailure>>();
    store.outcome = () => slow.promise;
    add(1, 1);
    await second();
    add(2, 2);
    const disposed = notes[Symbol.asyncDispose]();
    store.outcome = () => Promise.resolve(ok(undefined));
    slow.resolve(ok(undefined));
    await disposed;
    assert.deepEqual(written, [[1], [2]]);
  });

  test("are written sooner where many wait, in bounded batches", async (t) => {
    const { written, add, second } = house(t);
    add(1, 5000);
    assert.deepEqual(
      written.map(({ length }) => length),
      [2000],
      "at once, beside the loop",
    );
    await second();
    await second();
    assert.deepEqual(
      written.map(({ length }) => length),
      [2000, 2000, 1000],
    );
    assert.equal(written.flat().at(-1), 5000);
  });

  test("that could not be written are tried again in order, and the log hears of it once", async (t) => {
    const { store, written, add, second, events } = house(t);
    const full = (): Promise<Result<void, WriteFailure>> => Promise.resolve(err("full"));
    store.outcome = full;
    add(1, 2);
    await second();
    store.outcome = () => Promise.reject(new StoreError("unavailable", "the store thread is gone"));
    add(3, 3);
    await second();
    store.outcome = () => Promise.resolve(ok(undefined));
    await second();
    assert.deepEqual(written, [
      [1, 2],
      [1, 2, 3],
      [1, 2, 3],
    ]);
    const told = { level: "warn", event: "history.unwritten", fields: { reason: "full", transfers: 2 } };
    assert.deepEqual(events, [told]);
    store.outcome = full;
    add(4, 4);
    await second();
    assert.equal(events.length, 2, "and again after it worked");
  });

  test("beyond ten thousand the oldest are dropped and counted; at dispose what cannot be written is", async (t) => {
    const { store, written, add, second, notes, sample } = house(t);
    store.outcome = () => Promise.resolve(err("failed"));
    add(1, 1);
    await second();
    add(2, 30_000);
    await second();
    assert.equal(written.at(-1)?.at(0), 20_001);
    assert.equal(written.length, 2, "while writes fail many are no reason to hurry");
    assert.equal(sample("mailkeep_history_dropped_total"), 20_000);
    await notes[Symbol.asyncDispose]();
    assert.equal(sample("mailkeep_history_dropped_total"), 30_000);
  });
});
