import assert from "node:assert/strict";
import { assertConsistent } from "../contracts/store-consistency.ts";
import { install, type Installation } from "../e2e/harness/installation.ts";
import { Random } from "../e2e/harness/random.ts";
import { scratch } from "../e2e/harness/scratch.ts";
import { serve, type Server } from "../e2e/harness/server.ts";
import { Faults } from "./faults.ts";
import { Ledger } from "./ledger.ts";
import { survey } from "./load.ts";
import { Witness } from "./witness.ts";

/** All that the cases of one run share: one data folder through all of them, so that each goes on from what the last left. */
export type World = {
  readonly installation: Installation;
  readonly faults: Faults;
  readonly ledger: Ledger;
  readonly random: Random;
  readonly boxes: readonly string[];
  readonly witness: Witness;
  /** The server that runs now or ran last: what it said belongs to a failure. */
  watched?: Server;
  readonly counts: { restarts: number; surveys: number; refusedStarts: number; slowestWhileBlocked: number };
};

const BOXES = ["anna", "bert", "cora", "dora"];
const READ_ONLY_BOX = "wilma";

export async function makeWorld(stack: AsyncDisposableStack, seed: number): Promise<World> {
  // What was removed goes at once, so that bodies' files are unlinked under load.
  const config = { retention: { undelete_days: 0 }, server: { threads: 2 } };
  const installation = await install(stack, { users: [...BOXES, READ_ONLY_BOX], config });
  const world: World = {
    installation,
    faults: await Faults.build(stack, scratch(stack), installation.data),
    ledger: new Ledger(),
    random: new Random(seed),
    boxes: BOXES,
    witness: new Witness(READ_ONLY_BOX),
    counts: { restarts: 0, surveys: 0, refusedStarts: 0, slowestWhileBlocked: 0 },
  };
  await using running = new AsyncDisposableStack();
  const server = await serve(running, installation);
  world.watched = server;
  await world.witness.prepare(server);
  await stopInOrder(server);
  return world;
}

/** All maildrops of a running server against the ledger. */
export async function surveyAll(world: World, server: Server): Promise<void> {
  for (const box of world.boxes) world.ledger.check(box, await survey(server, box));
  world.ledger.settleDeliveries();
  assert.deepEqual(world.ledger.problems, []);
  world.counts.surveys += 1;
}

/** All maildrops of a server whose store has stopped: everything can be read, and what is in doubt the restart tells. */
export async function lookAtShown(world: World, server: Server): Promise<void> {
  for (const box of world.boxes) world.ledger.look(box, await survey(server, box));
  assert.deepEqual(world.ledger.problems, []);
}

/** After each case: the folder as it lies there, a start without the fault, every maildrop, and a stop in good order. */
export async function lookAtAll(world: World): Promise<void> {
  assertConsistent(world.installation.data);
  await using running = new AsyncDisposableStack();
  const server = await serve(running, world.installation);
  world.watched = server;
  world.counts.restarts += 1;
  await surveyAll(world, server);
  world.witness.start(server, () => false);
  await world.witness.more(1, "a session of the one who only reads");
  await world.witness.stop();
  await stopInOrder(server);
  assertConsistent(world.installation.data);
}

export async function stopInOrder(server: Server): Promise<void> {
  assert.deepEqual(await server.stop(), { code: 0, signal: null }, server.output.slice(-3000));
}

/** No word of it is meant for programmers. */
export function assertInWords(server: Server): void {
  assert.doesNotMatch(
    server.output,
    /^\s+at .*\.(ts|js):\d|should not|Unknown error|unhandled/im,
    "it says in words why",
  );
}
