import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { assertConsistent } from "../contracts/store-consistency.ts";
import { install } from "../e2e/harness/installation.ts";
import { mustRun } from "../e2e/harness/process.ts";
import { scratch } from "../e2e/harness/scratch.ts";
import { until } from "../e2e/harness/wait.ts";
import type { Figures } from "../reliability/figures.ts";
import type { PartOptions } from "../reliability/parts.ts";
import { buildLibrary, preload } from "./library.ts";
import { Ordeal } from "./ordeal.ts";
import { Filler, kinds, makeSmallDisk, type SmallDisk } from "./small-disk.ts";

/*
 * A file system of 64 MiB with the real server on it is filled to the last octet by mail and by another file, and freed again.
 * Senders hear 452, everything can be read, QUIT removes, also after a kill and a restart on the full disk, and with room
 * it heals by itself. Once for a disk without a free block, once for a quota that is used up.
 */
const MIB = 1024 * 1024;
const RESERVE = 16 * MIB;
const SHARES = 4;
const boxes = ["anna", "bert", "cora", "dora"];
// A look at the health is every 5 s: one makes the reserve whole, the next says that all is well.
const healSeconds = 30;

/** `--kills N`: how often it is killed while it is full. `--disk loop|memory|namespace`: which of the ways is taken. `--seed N`. */
export async function run(options: PartOptions): Promise<Figures> {
  const kills = Number(options["kills"] ?? 3);
  const seed = Number(options["seed"] ?? 5);
  const words = [`--kills ${kills}`, ...(options["seed"] === undefined ? [] : [`--seed ${seed}`])];
  const wanted = typeof options["disk"] === "string" ? [options["disk"]] : kinds;
  if (options["disk"] === "namespace") return inNamespace(kills, seed);
  await using stack = new AsyncDisposableStack();
  let disk: SmallDisk;
  try {
    disk = await makeSmallDisk(stack, 64, wanted);
  } catch (cause) {
    if (options["inside"] !== undefined) throw cause;
    console.log(`${String(cause)}; trying a namespace of its own`);
    return await inNamespace(kills, seed);
  }
  console.log(`the disk: ${disk.kind}`);
  const quota = preload(await buildLibrary("quota.c", scratch(stack)));
  const rows: (readonly [string, string])[] = [["disk", disk.kind]];
  for (const [name, env] of [
    ["no free block", {}],
    ["no quota left", quota],
  ] as const) {
    rows.push(...(await ordeal(disk, { name, env, kills, seed })));
  }
  return { name: "full", command: ["npm run torture -- full", ...words].join(" "), rows };
}

type Given = {
  readonly name: string;
  readonly env: Readonly<Record<string, string>>;
  readonly kills: number;
  readonly seed: number;
};

async function ordeal(disk: SmallDisk, { name, env, kills, seed }: Given): Promise<[string, string][]> {
  await using stack = new AsyncDisposableStack();
  const data = path.join(disk.folder, name.replaceAll(" ", "-"));
  mkdirSync(data);
  stack.defer(async () => void (await mustRun("rm", ["-r", data])));
  const installation = await install(stack, { users: boxes, data });
  const filler = new Filler(disk);
  await using world = new Ordeal({ installation, filler, boxes, seed, env });
  const healed = await live(world, kills).catch((cause: unknown) => {
    throw new Error(`${name}, ${world.reserve} kept back, the server said: ${world.said}`, { cause });
  });
  assertConsistent(data);
  assertNothingHalf(data);
  const { ledger, counts } = world;
  return [
    [`${name}: acknowledged, and there after all`, String(ledger.counts.acknowledged)],
    [`${name}: refused with 452 4.3.1, and not there`, String(counts.refused)],
    [`${name}: QUITs that removed on the full disk`, String(counts.removals)],
    [`${name}: starts on the full disk`, String(counts.restarts - 1)],
    [`${name}: lost, resurrected, half stored`, String(ledger.problems.length)],
    [`${name}: well again after room came`, `${healed.toFixed(1)} s`],
  ];
}

/** Gives how many seconds it took to be well again. */
async function live(world: Ordeal, kills: number): Promise<number> {
  await world.start();
  await until("the reserve to be made", 30, () => world.reserve === RESERVE);
  await fillWithMail(world);
  await staysUseful(world);
  for (let kill = 1; kill <= kills; kill += 1) await killed(world);
  await stoppedAndStarted(world);
  await emptiedByOthers(world);
  const seconds = await heals(world);
  await world.check();
  await world.stop();
  return seconds;
}

/** Mail takes the room up to the last block; a file beside it takes what is smaller than a message. */
async function fillWithMail(world: Ordeal): Promise<void> {
  for (let count = 0; count < 60; count += 1) assert.equal(await world.small(), "stored");
  for (let count = 0; count < 4; count += 1) assert.equal(await world.spooled(), "stored");
  await world.check();
  world.filler.fill(8 * MIB);
  const sender = async (send: () => Promise<string>): Promise<void> => {
    for (let refused = 0; refused < 10;) refused += (await send()) === "refused" ? 1 : 0;
  };
  await Promise.all([sender(() => world.small()), sender(() => world.spooled()), sender(() => world.small())]);
  world.filler.fill();
  assert.equal(await world.small(), "refused", "nothing fits any more");
  assert.equal(await world.spooled(), "refused");
  assert.equal(world.reserve, RESERVE, "mail takes nothing of the reserve");
}

/** All is said, all can be read, and a QUIT removes though not one octet is free. */
async function staysUseful(world: Ordeal): Promise<void> {
  await until("the health to say so", 20, async () => /^503 .*no room on the disk/.test(await world.health()));
  assert.ok(world.server.events("store.full").length > 0, "the log says so");
  await world.check();
  for (const box of world.boxes) await removes(world, box, 0.2);
  assert.equal(await world.small(), "refused", "what a removal was given is not for new mail");
  assert.equal(await world.spooled(), "refused");
}

async function removes(world: Ordeal, box: string, share: number): Promise<void> {
  const had = world.reserve;
  const outcome = await world.remove(box, share, () => world.filler.fill());
  assert.equal(outcome, "removed", `a QUIT with ${had} octets of the reserve left`);
}

/** Killed under load; it has to come up again on the full disk, and to serve. */
async function killed(world: Ordeal): Promise<void> {
  await fillAnew(world);
  const over = new AbortController();
  const untilOver = async (work: () => Promise<unknown>): Promise<void> => {
    while (!over.signal.aborted) {
      try {
        await work();
      } catch (cause) {
        if (!over.signal.aborted) throw cause;
      }
    }
  };
  const load = Promise.all([
    untilOver(() => world.small()),
    untilOver(() => world.spooled()),
    untilOver(() => world.remove(world.random.pick(boxes.slice(0, 2)), 0.05)),
    untilOver(() => world.remove(world.random.pick(boxes.slice(2)), 0.05)),
  ]);
  const moment = Promise.withResolvers<void>();
  setTimeout(moment.resolve, world.random.between(200, 900));
  await Promise.race([moment.promise, load]);
  over.abort();
  await world.kill();
  await load;
  world.filler.fill();
  await world.start();
  await world.check();
  assert.equal(await world.small(), "refused", "also after a restart");
}

/** Room for a while, so that the reserve is whole; then none again. */
async function fillAnew(world: Ordeal): Promise<void> {
  world.filler.free();
  await until("the reserve to be whole", healSeconds, () => world.reserve === RESERVE);
  world.filler.fill();
}

/** A stop in good order leaves no log: the next run's has to be made where there is no room for it. */
async function stoppedAndStarted(world: Ordeal): Promise<void> {
  await fillAnew(world);
  await world.stop();
  world.filler.fill();
  await world.start();
  world.filler.fill();
  await world.check();
  assert.equal(world.reserve, (RESERVE / SHARES) * (SHARES - 1), "the start took a share");
  for (const box of world.boxes.slice(1)) await removes(world, box, 0.1);
  assert.equal(await world.small(), "refused");
}

/** Somebody else takes all that is given up: then a QUIT says truthfully what became of it, and mail can be read. */
async function emptiedByOthers(world: Ordeal): Promise<void> {
  for (let turn = 0; turn < 12; turn += 1) {
    for (let round = 0; round < 20; round += 1) world.filler.fill();
    await world.remove(world.random.pick(world.boxes), 0.05, () => world.filler.fill());
  }
  await world.check();
  assert.equal(await world.small(), "refused");
  assert.equal(world.reserve, 0, "all of the reserve is used up");
  await world.kill();
  world.filler.fill();
  assert.match(await world.refusedStart(), /the disk is full/, "nothing is left that a start could be given");
  world.filler.free();
  // Of what is free the file system keeps some for itself.
  world.filler.fill(4 * MIB);
  await world.start();
  await world.check();
  assert.equal(await world.small(), "refused", "what is free is for removals");
}

/** Gives the room back; says after how many seconds all was well, by itself. */
async function heals(world: Ordeal): Promise<number> {
  world.filler.free();
  const begin = performance.now();
  await until("new mail to be taken", healSeconds, async () => (await world.small()) === "stored");
  const seconds = (performance.now() - begin) / 1000;
  await until("the health to say so", healSeconds, async () => (await world.health()).startsWith("200 "));
  assert.equal(world.reserve, RESERVE, "the reserve is whole again");
  assert.equal(world.server.events("store.reserve.restored").length, 1, "the log says so");
  for (let count = 0; count < 20; count += 1) assert.equal(await world.small(), "stored");
  assert.equal(await world.spooled(), "stored");
  for (const box of world.boxes) assert.equal(await world.remove(box, 0.3), "removed");
  return seconds;
}

function assertNothingHalf(data: string): void {
  assert.deepEqual(readdirSync(path.join(data, "bodies", "spool")), [], "no spool file is left");
  const rest = readdirSync(data).filter((name) => name.startsWith("reserve"));
  assert.deepEqual(rest, ["reserve"], "nothing half made is left");
}

/** The same in a namespace where everybody may mount; this process's mounts cannot be seen there, so all of it runs again. */
async function inNamespace(kills: number, seed: number): Promise<Figures> {
  await using stack = new AsyncDisposableStack();
  const file = path.join(scratch(stack), "figures");
  const script = path.join(import.meta.dirname, "full-inside.ts");
  const given = JSON.stringify({ kills: String(kills), seed: String(seed), disk: "memory", inside: true });
  const end = await mustRun("unshare", ["-rm", process.execPath, script, file, given], { seconds: 900 });
  console.log(end.text);
  return JSON.parse(readFileSync(file, "utf8")) as Figures;
}
