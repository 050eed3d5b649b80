import assert from "node:assert/strict";
import { serve, type Server } from "../e2e/harness/server.ts";
import { until } from "../e2e/harness/wait.ts";
import type { Case } from "./disk-cases.ts";
import { assertInWords, lookAtAll, lookAtShown, surveyAll, type World } from "./disk-world.ts";
import { Traffic } from "./traffic.ts";
import { storeHealth } from "./witness.ts";

// Deadlines of the run, not figures: all of it shares a machine with whatever else runs there.
const FIRE_SECONDS = 30;
const TELL_SECONDS = 45;

/** Lets the disk of a running server fail under load, and gives how often it did. */
export async function failUnderLoad(world: World, given: Case): Promise<number> {
  const { installation, faults, ledger, random, boxes, witness } = world;
  await using running = new AsyncDisposableStack();
  running.defer(() => clearFaults(world));
  const server = await serve(running, installation, { env: faults.env });
  world.watched = server;
  world.counts.restarts += 1;
  let failing = false;
  let dying = false;
  const mayCut = (): boolean => dying || (failing && given.readersToo);
  const make = (): Traffic => new Traffic({ server, ledger, random, boxes, mayCut });
  const traffic = make().start();
  witness.start(server, mayCut);
  await traffic.more(random.between(3, 30), "mail to be taken", ["acknowledged"]);
  const refusedBefore = witness.refused;
  const linesBefore = server.log.length;
  failing = true;
  setFaults(world, given);
  await until(`the fault to be met\n${server.output.slice(-2000)}`, FIRE_SECONDS, () => {
    traffic.assertFine();
    return faults.fired() > 0;
  });
  if (given.blocks) await whileBlocked(world, given, server);
  else if (given.lasting) await whileFailing(given, server, traffic);
  if (given.outcome === "stops") await server.event("store.stopped", TELL_SECONDS);
  const fired = faults.fired();
  clearFaults(world);
  await traffic.stop();
  await witness.stop();
  failing = false;
  if (!given.readersToo) assert.equal(witness.refused, refusedBefore, "who only reads is never refused");
  if (!given.blocks && given.refuses) assert.ok(traffic.tally.refused + traffic.tally.kept > 0, "somebody was refused");
  if (!given.blocks && given.lasting && given.faults[0].what !== "short") assertLogged(server, linesBefore);
  const stopped = server.events("store.stopped").length > 0;
  if (given.outcome === "heals") assert.ok(!stopped, `the store stopped\n${server.output.slice(-2000)}`);
  // The disk is well again from here on.
  if (stopped) await nothingIsAcknowledged(server, make());
  else await itHeals(server, make());
  if (stopped) await lookAtShown(world, server);
  else await surveyAll(world, server);
  if (random.fraction() < 0.5) {
    dying = true;
    await server.kill();
  } else {
    const { signal } = await server.stop();
    assert.equal(signal, null, "it stops by itself");
  }
  assertInWords(server);
  await lookAtAll(world);
  return fired;
}

function setFaults({ faults, random }: World, given: Case): void {
  const [first, ...others] = given.faults;
  // What brings it about comes later than it, so that it cannot be missed.
  faults.set({ ...first, skip: others.length > 0 ? 0 : random.between(0, 2) }, 0);
  for (const [index, fault] of others.entries()) faults.set(fault, index + 1);
}

function clearFaults({ faults }: World): void {
  for (const number of [1, 0]) faults.clear(number);
}

/** While a call does not come back: others go on, and when it is the writer's, the health endpoint says that something hangs. */
async function whileBlocked(world: World, given: Case, server: Server): Promise<void> {
  const { faults, witness, counts } = world;
  await until("a call that waits", FIRE_SECONDS, () => faults.waiting() > 0);
  if (given.readersToo) return;
  witness.slowest = 0;
  await witness.more(3, "others to go on reading");
  if (given.of === "writer") await saysWhatIsWrong(server);
  assert.ok(faults.waiting() > 0, "the call still waits");
  counts.slowestWhileBlocked = Math.max(counts.slowestWhileBlocked, witness.slowest);
}

async function whileFailing(given: Case, server: Server, traffic: Traffic): Promise<void> {
  const kinds = ["acknowledged", "refused", "removed", "kept"] as const;
  await traffic.more(15, "answers while the disk fails", kinds);
  if (given.refuses) await saysWhatIsWrong(server);
}

async function saysWhatIsWrong(server: Server): Promise<void> {
  await until("the health endpoint to say that the store is not well", TELL_SECONDS, async () => {
    const { ready, reason } = await storeHealth(server);
    return !ready && reason !== "";
  });
}

function assertLogged(server: Server, before: number): void {
  const told = server.log.slice(before).filter(({ level }) => level === "warn" || level === "error");
  assert.ok(told.length > 0, "the log says that something failed");
}

/** After a failed sync: whatever the disk takes now, not one more message and not one more removal counts. */
async function nothingIsAcknowledged(server: Server, traffic: Traffic): Promise<void> {
  await saysWhatIsWrong(server);
  traffic.start();
  await traffic.more(20, "refusals of a stopped store", ["refused", "kept"]);
  await traffic.stop();
  assert.deepEqual([traffic.tally.acknowledged, traffic.tally.removed], [0, 0], "nothing is acknowledged");
  assert.equal(server.events("store.recovered").length, 0, "nothing recovers but by a restart");
}

async function itHeals(server: Server, traffic: Traffic): Promise<void> {
  traffic.start();
  await traffic.more(10, "mail to be taken again", ["acknowledged"]);
  await traffic.more(1, "mail to be removed again", ["removed"]);
  await traffic.stop();
  await until(
    "the health endpoint to say that all is well",
    TELL_SECONDS,
    async () => (await storeHealth(server)).ready,
  );
  const told = server.events("store.failed").length + server.events("store.full").length;
  if (told > 0) assert.ok(server.events("store.recovered").length > 0, "the log says that it recovered");
}
