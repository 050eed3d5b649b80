import assert from "node:assert/strict";
import { launch, serve, type Server } from "../e2e/harness/server.ts";
import { until, within } from "../e2e/harness/wait.ts";
import type { Case } from "./disk-cases.ts";
import { assertInWords, lookAtAll, surveyAll, type World } from "./disk-world.ts";
import { madeBetween, type Fault } from "./faults.ts";
import { Traffic } from "./traffic.ts";

const START_SECONDS = 60;
// The drain, what closing may take, and the machine.
const STOP_SECONDS = 60;

/** How often a start and a stop without any fault make the calls of a fault. */
export type Made = (when: "start" | "stop", fault: Fault) => number;

/** Starts after a crash under load, and stops, once each with a disk that only counts. */
export async function countCalls(world: World): Promise<Made> {
  const { faults, installation } = world;
  await crashUnderLoad(world);
  await using running = new AsyncDisposableStack();
  const before = faults.snapshot();
  const server = await serve(running, installation, { env: faults.env });
  world.watched = server;
  await surveyAll(world, server);
  const started = faults.snapshot();
  await loadALittle(world, server);
  const loaded = faults.snapshot();
  await server.stop();
  const stopped = faults.snapshot();
  return (when, fault) =>
    when === "start" ? madeBetween(fault, before, started) : madeBetween(fault, loaded, stopped);
}

/** Lets the disk fail at a start after a crash: it ends in words, or serves and keeps what it acknowledges. */
export async function failAtStart(world: World, given: Case, made: Made): Promise<number> {
  const { faults, installation } = world;
  await crashUnderLoad(world);
  await using running = new AsyncDisposableStack();
  running.defer(() => faults.clear());
  setFault(world, given, made("start", given.faults[0]));
  const server = launch(running, installation, { env: faults.env });
  world.watched = server;
  if (given.blocks) {
    await until("a call that waits", START_SECONDS, () => faults.waiting() > 0 || metAlready(server, faults.fired()));
    faults.clear();
  }
  const ready = await readyOrEnded(server);
  if (ready) {
    await takeWhatItGives(world, server);
    faults.clear();
    await server.stop();
  } else {
    assert.deepEqual(await server.ended, { code: 1, signal: null }, server.output.slice(-3000));
    assert.match(server.output, /^mailkeep: .*\S/m, "it says why it does not start");
    assert.ok(server.output.includes(installation.data), `it names the folder: ${server.output.slice(-2000)}`);
    world.counts.refusedStarts += 1;
  }
  if (given.blocks) assert.ok(ready, "a start that had to wait goes on");
  assertInWords(server);
  const fired = faults.fired();
  faults.clear();
  await lookAtAll(world);
  return fired;
}

/** Lets the disk fail while the server stops: it ends in time whatever the disk does, and the next start has everything. */
export async function failAtStop(world: World, given: Case, made: Made): Promise<number> {
  const { faults, installation } = world;
  await using running = new AsyncDisposableStack();
  running.defer(() => faults.clear());
  const server = await serve(running, installation, { env: faults.env });
  world.watched = server;
  await loadALittle(world, server);
  setFault(world, given, made("stop", given.faults[0]));
  server.signal("SIGTERM");
  const end = await within("the end of a server that stops", STOP_SECONDS, server.ended);
  assert.equal(end.signal, null, "it ends by itself");
  assert.ok(end.code === 0 || end.code === 1, `it ended with ${end.code}`);
  assertInWords(server);
  const fired = faults.fired();
  faults.clear();
  await lookAtAll(world);
  return fired;
}

async function crashUnderLoad(world: World): Promise<void> {
  await using running = new AsyncDisposableStack();
  const server = await serve(running, world.installation);
  world.watched = server;
  world.counts.restarts += 1;
  let dead = false;
  const traffic = trafficOn(world, server, () => dead).start();
  await traffic.more(20, "mail to be taken", ["acknowledged"]);
  await traffic.more(2, "mail to be removed", ["removed"]);
  dead = true;
  await server.kill();
  await traffic.stop();
}

async function loadALittle(world: World, server: Server): Promise<void> {
  const traffic = trafficOn(world, server, () => false).start();
  await traffic.more(10, "mail to be taken", ["acknowledged"]);
  await traffic.stop();
}

/** Whatever it answers, the ledger knows it afterwards. */
async function takeWhatItGives(world: World, server: Server): Promise<void> {
  const traffic = trafficOn(world, server, () => true).start();
  await traffic.more(10, "answers", ["acknowledged", "refused", "removed", "kept"]);
  await traffic.stop();
}

function trafficOn({ ledger, random, boxes }: World, server: Server, mayCut: () => boolean): Traffic {
  return new Traffic({ server, ledger, random, boxes, mayCut });
}

function setFault({ faults, random }: World, { faults: [fault] }: Case, made: number): void {
  // Somewhere in the first half of what it makes: how often it does is not the same each time.
  faults.set({ ...fault, skip: random.between(0, Math.floor((made - 1) / 2)) });
}

function metAlready(server: Server, fired: number): boolean {
  return fired > 0 && (!server.running || server.events("server.ready").length > 0);
}

async function readyOrEnded(server: Server): Promise<boolean> {
  return until("a server that is ready or ended", START_SECONDS, () =>
    server.events("server.ready").length > 0 ? "ready" : server.running ? undefined : "ended",
  ).then((how) => how === "ready");
}
