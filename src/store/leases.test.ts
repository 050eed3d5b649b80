import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, it } from "node:test";
import { BroadcastChannel, Worker } from "node:worker_threads";
import type { MailboxId } from "../model/ids.ts";
import { createLeaseWords, freeLeasesOf, LEASE, tickBefore, tickBehind, ticksBetween } from "./lease-words.ts";
import { LeaseTable } from "./leases.ts";
import type { Claim, Lease } from "./ports.ts";
import { contend } from "./testing-lease-worker.ts";

/* Take-over by a clock in the test's hand, and the races of it; what every store promises: test/contracts/store-leases.ts. */

const box = 5 as MailboxId;
const never = (): never => assert.fail("nobody takes this one");
const ignore = (): void => undefined;
const again: Claim = { waitMs: 0, takeOver: { mark: 7, afterSeconds: 60 } };

function house() {
  const time = { ms: 1_000_000 };
  const words = createLeaseWords();
  const clock = { now: () => 0, monotonic: () => time.ms };
  const table = (thread: number) => new LeaseTable(words, thread, clock);
  const take = async (leases: LeaseTable, claim = again, lost: () => void = ignore): Promise<Lease | undefined> => {
    const taken = await leases.acquire(box, claim, lost);
    return taken.ok ? taken.value : undefined;
  };
  return { time, words, one: table(1), two: table(2), take };
}

describe("the time of a take-over", () => {
  it("is reached when the holder has made no progress for so long, by any thread's touch", async () => {
    const { time, one, two, take } = house();
    const held = await take(one);
    time.ms += 59_900;
    assert.equal(await take(two), undefined);
    held?.touch();
    time.ms += 59_900;
    assert.equal(await take(two), undefined, "it lived in between");
    time.ms += 200;
    assert.ok(await take(two));
    assert.equal(held?.held(), false);
  });

  it("begins anew for who has just taken it, whatever was before", async () => {
    const { time, one, two, take } = house();
    (await take(one))?.release();
    time.ms += 3_600_000;
    const fresh = await take(one, again, never);
    assert.equal(await take(two), undefined, "the one before made no progress for an hour");
    time.ms += 61_000;
    const taken = await take(two);
    assert.ok(taken);
    assert.equal(await take(one), undefined, "a second taker finds the first one alive");
    assert.equal(fresh?.held(), false);
    assert.equal(taken.held(), true);
  });

  it("never comes early, nor LOGIN-DELAY's late, by the ticks that times are kept in", () => {
    for (const [from, to] of [
      [0, 60_000],
      [1, 60_001],
      [62.4, 1000],
      [2 ** 31 * 62.5 - 7, 2 ** 31 * 62.5 + 90_000],
    ] as const) {
      const least = ticksBetween(tickBehind(from), tickBefore(to));
      const most = ticksBetween(tickBefore(from), tickBehind(to));
      assert.ok(least <= to - from && to - from <= most, `${least} ${to - from} ${most}`);
      assert.ok(most - least <= 125);
    }
    assert.equal(ticksBetween(tickBehind(1), tickBefore(1)), 0, "never less than nothing");
  });

  it("is asked for LOGIN-DELAY from the last opening", async () => {
    const { time, one, two, take } = house();
    const held = await take(one);
    time.ms += 30_000;
    held?.touch();
    held?.release();
    assert.equal(two.secondsSinceOpened(box), 30);
  });
});

describe("at the same moment", () => {
  it("P4: who enters UPDATE and who takes over: one of them, never both", async () => {
    for (const first of ["holder", "taker"] as const) {
      const { time, one, two, take } = house();
      const held = await take(one);
      time.ms += 61_000;
      const began = first === "holder" && held?.beginUpdate() === true;
      const taken = await take(two);
      const beganLater = first === "taker" && held?.beginUpdate() === true;
      assert.deepEqual([began || beganLater, taken !== undefined], first === "holder" ? [true, false] : [false, true]);
    }
  });

  it("P4: who gives back and who takes over: the taker has it, and nobody is told of a loss", async () => {
    const { time, one, two, take } = house();
    const held = await take(one, again, never);
    time.ms += 61_000;
    held?.release();
    const taken = await take(two, again, never);
    assert.equal(taken?.held(), true);
    held?.release();
    held?.touch();
    assert.equal(held?.beginUpdate(), false);
    assert.equal(taken.held(), true);
  });

  it("a lease that is being taken is left alone, and is free when its taker's thread dies", async () => {
    const { time, words, one, two, take } = house();
    await take(one);
    time.ms += 61_000;
    // As if the thread ended between its two steps.
    const view = new Int32Array(words);
    const TAKING = 3;
    const index = box * 4 + LEASE;
    Atomics.or(view, index, TAKING);
    assert.equal(await take(two), undefined);
    assert.equal(two.held(box), true);
    freeLeasesOf(2, words);
    assert.equal(two.held(box), true, "another thread's");
    freeLeasesOf(1, words);
    assert.equal(two.held(box), false);
    assert.ok(await take(two));
  });

  it("P4: of sessions in three threads that take over from one another, one acts at a time, and each loss is told", async () => {
    const words = createLeaseWords();
    // acting now, most that ever acted at once, times acted, losses told, losses met, threads that began
    const counts = new Int32Array(new SharedArrayBuffer(6 * 4));
    const channel = `leases-test-${process.pid}-${performance.now()}`;
    const workers = [2, 3].map(
      (thread) =>
        new Worker(new URL("./testing-lease-worker.ts", import.meta.url), {
          workerData: { words, counts, channel, thread },
        }),
    );
    const channelHere = new BroadcastChannel(channel);
    const ends = workers.map((worker) => once(worker, "exit"));
    await contend({ words, counts, channel: channelHere, thread: 1 });
    await Promise.all(ends);
    const [acting, most, acted, told, met] = counts;
    assert.equal(acting, 0);
    assert.equal(most, 1, "one at a time");
    assert.ok((acted ?? 0) > 0);
    assert.ok((met ?? 0) > 0, "there were take-overs");
    assert.equal(told, met, "each loss is told once");
  });
});
