import { setImmediate } from "node:timers/promises";
import { BroadcastChannel, isMainThread, workerData } from "node:worker_threads";
import { systemClock } from "../lib/clock.ts";
import type { MailboxId } from "../model/ids.ts";
import { LeaseTable } from "./leases.ts";

const box = 5 as MailboxId;
const ROUNDS = 400;
const ACTING = 0;
const MOST = 1;
const ACTED = 2;
const TOLD = 3;
const MET = 4;
const READY = 5;
const THREADS = 3;

type Contest = {
  readonly words: SharedArrayBuffer;
  readonly counts: Int32Array;
  readonly channel: BroadcastChannel;
  readonly thread: number;
};

/** Sessions of one device that take one maildrop over from one another as fast as they can, and act where they may. */
export async function contend({ words, counts, channel, thread }: Contest): Promise<void> {
  using leases = new LeaseTable(words, thread, systemClock, channel);
  const told: Promise<void>[] = [];
  allAreReady(counts);
  for (let round = 0; round < ROUNDS; round += 1) {
    const lost = Promise.withResolvers<void>();
    const taken = await leases.acquire(box, { waitMs: 60_000, takeOver: { mark: 7, afterSeconds: 0 } }, () => {
      Atomics.add(counts, TOLD, 1);
      lost.resolve();
    });
    if (!taken.ok) throw new Error("a maildrop that is given back again and again was not to be had");
    const lease = taken.value;
    // Some are gone by then, some act at once.
    if (round % 3 > 0) await setImmediate();
    if (lease.beginUpdate()) {
      const acting = Atomics.add(counts, ACTING, 1) + 1;
      if (acting > Atomics.load(counts, MOST)) Atomics.store(counts, MOST, acting);
      Atomics.add(counts, ACTED, 1);
      if (round % 2 > 0) await setImmediate();
      Atomics.sub(counts, ACTING, 1);
      lease.release();
    } else {
      Atomics.add(counts, MET, 1);
      told.push(lost.promise);
    }
  }
  await Promise.all(told);
}

function allAreReady(counts: Int32Array): void {
  let ready = Atomics.add(counts, READY, 1) + 1;
  Atomics.notify(counts, READY);
  for (; ready < THREADS; ready = Atomics.load(counts, READY)) {
    if (Atomics.wait(counts, READY, ready, 30_000) === "timed-out") throw new Error("a thread did not start");
  }
}

if (!isMainThread) {
  const { channel, ...contest } = workerData as Omit<Contest, "channel"> & { readonly channel: string };
  await contend({ ...contest, channel: new BroadcastChannel(channel) });
}
