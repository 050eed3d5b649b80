import type { Domain } from "../../src/model/address.ts";
import { sleep } from "./actor.ts";
import { Administrator, newAccount } from "./administrator.ts";
import { inspectFiles, inspectRows } from "./inspect.ts";
import { BrokenPromise } from "./broken-promise.ts";
import type { MailPlan, ReaderPlan, SenderPlan, VisitPlan } from "./plan.ts";
import { Reader, type VisitEnd } from "./reader.ts";
import { Sender } from "./sender.ts";
import type { World } from "./world.ts";

// A start, with all that a crash has left.
const UP_MS = 600_000;

/** From the first start to the last look: what a plan says, and then, with no more faults, whether all is there. */
export async function runCourse(world: World): Promise<void> {
  const { plan } = world;
  world.boot();
  await whenUp(world);
  await setUp(world);
  for (const fault of plan.faults) world.expect(fault);
  await Promise.all(plan.actors.map((actor) => world.act(actor)));
  world.tell("world", "no more faults");
  world.calm = true;
  world.faults.stop();
  world.machine.capacityOctets = 2 ** 40;
  world.end(plan.lastEnd, 50);
  await whenUp(world);
  inspectFiles(world.machine);
  await lookAtAll(world);
  inspectRows(world.machine);
}

async function whenUp(world: World): Promise<void> {
  const { runtime } = world;
  const until = runtime.monotonic() + UP_MS;
  while (world.life() === undefined) {
    if (runtime.monotonic() > until) throw new BrokenPromise("P9", "the server does not come up");
    // oxlint-disable-next-line no-await-in-loop -- a look now and then
    await sleep(runtime, runtime.outside, 10);
  }
  // Its threads come up behind it.
  await sleep(runtime, runtime.outside, 5);
}

function setUp(world: World): Promise<void> {
  return world.play("operator sets up", async (owner) => {
    const made = await world.order(owner, async ({ admin, clock }) => {
      if (admin === undefined) return "no store";
      await admin.directory.addDomain("example.test" as Domain, clock.now());
      await admin.upkeep.noteTime(clock.now());
      const added = await admin.directory.addAccounts(world.addresses().map(newAccount), clock.now());
      return added.ok;
    });
    if (typeof made === "string" || made.done !== true)
      throw new Error(`the accounts are not made: ${JSON.stringify(made)}`);
    for (const address of world.addresses()) world.oracle.made(address);
  });
}

/** Everybody reads everything, gets a message more, removes all, gets it back. */
async function lookAtAll(world: World): Promise<void> {
  await world.play("operator looks", async (owner) => {
    const operator = new Administrator(world, "operator", owner);
    for (const address of world.addresses()) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await operator.look(address);
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      if (isThere(world, address)) await operator.act("enable", address);
    }
  });
  await eachReads(world, "reads all", 0);
  await oneMore(world);
  await eachReads(world, "reads one more", world.plan.seed % 2);
  if (world.plan.settings.undeleteDays === 0) return;
  await world.play("operator restores", async (owner) => {
    const operator = new Administrator(world, "operator", owner);
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    for (const address of world.addresses()) if (isThere(world, address)) await operator.act("restore", address);
  });
  await eachReads(world, "reads what came back", 0);
}

function isThere(world: World, address: string): boolean {
  return world.oracle.maildrop(address).account === "there";
}

async function eachReads(world: World, what: string, removes: number): Promise<void> {
  const { plan } = world;
  const visit: VisitPlan = {
    pauseMs: 0,
    fetches: 1,
    removes,
    resets: false,
    stallMs: 0,
    idleMs: 0,
    pipelined: false,
    ends: "quit",
    vanish: undefined,
  };
  const visits = world.addresses().map((address, account) => {
    if (!isThere(world, address)) return Promise.resolve();
    const reader: ReaderPlan = {
      kind: "reader",
      name: `${what} ${account}`,
      at: 0,
      account,
      device: "judge",
      visits: [visit],
    };
    return world.play(reader.name, async (owner) => {
      const end: VisitEnd = await new Reader(world, reader, owner).run();
      if (end !== "quit") throw new BrokenPromise("P9", `${reader.name} of ${address} (seed ${plan.seed}) was ${end}`);
    });
  });
  await Promise.all(visits);
}

function oneMore(world: World): Promise<void> {
  const to = world.addresses().flatMap((address, account) => (isThere(world, address) ? [account] : []));
  if (to.length === 0) return Promise.resolve();
  const mail: MailPlan = { name: "last", to, octets: 500, pipelined: true, resets: false, pauseMs: 0 };
  const plan: SenderPlan = {
    kind: "sender",
    name: "last sender",
    at: 0,
    protocol: "lmtp",
    mails: [mail],
    vanish: undefined,
  };
  return world.play(plan.name, async (owner) => {
    const sender = new Sender(world, plan, owner);
    await sender.run();
    const all = sender.acknowledged.length === to.length;
    if (!all) throw new BrokenPromise("P9", "a delivery is not taken though nothing fails");
  });
}
