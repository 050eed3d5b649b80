import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { err, ok } from "../lib/result.ts";
import { NO_ACTOR } from "../model/history.ts";
import type { MailboxId } from "../model/ids.ts";
import { recordingLog, testMetrics } from "../observe/testing.ts";
import type { Upkeep } from "../store/ports.ts";
import { house, opening } from "./testing-house.ts";
import { eraseRemoved, restore } from "./undelete.ts";

describe("restore", () => {
  test("brings all of it back, step by step, under new uids that an open session does not see", async () => {
    const { store, ann, open, owner, mailboxes } = house();
    for (let n = 0; n < 5; n += 1) store.deliver(ann.inbox, Buffer.from(`${n}`));
    await (await open()).update(Uint32Array.of(1, 2, 3));
    const session = await open();
    store.restoreAtOnce = 2;
    assert.deepEqual(await restore(store.mail, ann.inbox, {}, NO_ACTOR), ok({ restored: 3 }));
    assert.deepEqual([session.messages, session.octets], [2, 2]);
    assert.deepEqual((await session.listing()).uids, Uint32Array.of(4, 5));
    assert.deepEqual(await session.update(Uint32Array.of(4)), ok({ removed: 1 }), "and it removes its own alone");
    const next = await mailboxes.openMaildrop(owner(ann), opening, () => {});
    assert.ok(next.ok);
    assert.deepEqual((await next.value.listing()).uids, Uint32Array.of(5, 6, 7, 8));
  });

  test("brings back just what the filter names", async () => {
    const { store, ann, open } = house();
    for (let n = 0; n < 3; n += 1) store.deliver(ann.inbox, Buffer.from(`${n}`));
    store.now = 100;
    await (await open()).update(Uint32Array.of(1));
    store.now = 200;
    await (await open()).update(Uint32Array.of(2, 3));
    const { mail } = store;
    assert.deepEqual(await restore(mail, ann.inbox, { device: "tablet" }, NO_ACTOR), ok({ restored: 0 }));
    assert.deepEqual(await restore(mail, ann.inbox, { since: 150, device: "phone" }, NO_ACTOR), ok({ restored: 2 }));
    assert.deepEqual(await restore(mail, ann.inbox, { uid: 1 as never }, NO_ACTOR), ok({ restored: 1 }));
  });

  test("says what came back before it failed, and ends when a store only promises more", async () => {
    const answers = [ok({ restored: 2, more: true }), ok({ restored: 0, more: true }), err("full")];
    const failing = { restore: () => Promise.resolve(answers.shift() ?? assert.fail()) };
    const box = 1 as MailboxId;
    assert.deepEqual(await restore(failing, box, {}, NO_ACTOR), err({ reason: "full", restored: 2 }));
    const stuck = { restore: () => Promise.resolve(ok({ restored: 0, more: true })) };
    assert.deepEqual(await restore(stuck, box, {}, NO_ACTOR), err({ reason: "failed", restored: 0 }));
  });
});

const DAY = 86_400_000;

/** A disk of 1000 octets on which undelete keeps messages of 10 each; what was erased is free once it was reclaimed. */
class Kept {
  kept: number[] = [];
  other: number;
  readonly done: string[] = [];
  #dead = 0;
  fails = false;
  /** Whether another fills the disk as fast as it is emptied. */
  leaking = false;

  constructor(kept: readonly number[], other: number) {
    this.kept = [...kept];
    this.other = other;
  }

  readonly upkeep: Pick<Upkeep, "erase" | "reclaim" | "space"> = {
    erase: (before) => {
      if (this.fails) return Promise.resolve(err("failed"));
      const going = this.kept.filter((at) => at < before).slice(0, 2);
      this.kept = this.kept.filter((at) => !going.includes(at));
      this.#dead += going.length * 10;
      this.done.push(`erase ${going.length}`);
      return Promise.resolve(
        ok({ messages: going.length, octets: going.length * 10, more: this.kept.some((at) => at < before) }),
      );
    },
    reclaim: (before) => {
      this.done.push("reclaim");
      // Also what died while the clock was ahead.
      if (before <= 200 * DAY) return Promise.resolve({ segmentsRemoved: 0, octetsMoved: 0, more: false });
      const moved = this.#dead;
      this.#dead = Math.max(0, this.#dead - 10);
      if (this.leaking && moved > 0) this.other += 10;
      return Promise.resolve({ segmentsRemoved: 0, octetsMoved: 0, more: this.#dead > 0 });
    },
    space: () => Promise.resolve({ free: 1000 - this.other - this.kept.length * 10 - this.#dead, total: 1000 }),
  };
}

function erasing(disk: Kept, figures = { undeleteDays: 14, freePercent: 5 }) {
  const { log, events } = recordingLog();
  const { metrics, sample } = testMetrics();
  const turn = (stopping = new AbortController().signal) =>
    eraseRemoved(
      {
        upkeep: disk.upkeep,
        clock: { now: () => 100 * DAY, monotonic: () => 0 },
        log,
        metrics,
        undeleteDays: () => figures.undeleteDays,
        freePercent: () => figures.freePercent,
        lookAfterOctets: 20,
      },
      stopping,
    );
  return { turn, events, sample };
}

const days = (...of: number[]): number[] => of.map((day) => day * DAY);

describe("erasing", () => {
  test("takes what was kept long enough, slice by slice, and says so once; with room nothing else is done", async () => {
    const disk = new Kept(days(80, 81, 82, 85, 86, 90), 0);
    const { turn, events, sample } = erasing(disk);
    await turn();
    assert.deepEqual(disk.kept, days(86, 90));
    assert.deepEqual(disk.done, ["erase 2", "erase 2"]);
    const fields = { messages: 4, octets: 40, reason: "age" };
    assert.deepEqual(events, [{ level: "info", event: "store.erased", fields }]);
    assert.equal(sample('mailkeep_erased_messages_total{reason="age"}'), 4);
    await turn();
    assert.equal(events.length, 1, "nothing erased, nothing said");
  });

  test("takes all where nothing is to be kept", async () => {
    const disk = new Kept(days(98, 99), 0);
    await erasing(disk, { undeleteDays: 0, freePercent: 0 }).turn();
    assert.deepEqual(disk.kept, []);
  });

  test("takes the oldest while the disk is low, and gives the space back in between, until there is room", async () => {
    const disk = new Kept(days(90, 91, 92, 93, 94, 95), 920);
    const { turn, events, sample } = erasing(disk);
    await turn();
    assert.deepEqual(disk.kept, days(94, 95), "free: 20, with one slice 40, with two 60");
    assert.deepEqual(disk.done, ["erase 0", "erase 2", "reclaim", "reclaim", "erase 2", "reclaim"]);
    const fields = { messages: 4, octets: 40, reason: "space" };
    assert.deepEqual(events, [{ level: "warn", event: "store.erased", fields }]);
    assert.equal(sample('mailkeep_erased_messages_total{reason="space"}'), 4);
  });

  test("stops when a slice did not help, and when nothing is left", async () => {
    const filled = new Kept(days(90, 91, 92, 93, 94, 95), 930);
    filled.leaking = true;
    await erasing(filled).turn();
    assert.deepEqual(filled.kept, days(92, 93, 94, 95));
    const little = new Kept(days(90, 91, 92), 960);
    await erasing(little).turn();
    assert.deepEqual(little.kept, []);
  });

  test("what was erased is said also when the next slice fails; and it ends when it is told to stop", async () => {
    const disk = new Kept(days(90, 91, 92, 93), 950);
    const { reclaim } = disk.upkeep;
    Object.assign(disk.upkeep, { reclaim: (at: number) => ((disk.fails = true), reclaim(at)) });
    const { turn, events } = erasing(disk);
    await assert.rejects(turn(), /erasing: failed/);
    assert.equal(events.length, 1);
    const stopped = new Kept(days(80, 81), 990);
    await erasing(stopped).turn(AbortSignal.abort());
    assert.deepEqual(stopped.done, []);
  });
});
