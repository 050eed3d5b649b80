import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import path from "node:path";
import { install, type Installation } from "../e2e/harness/installation.ts";
import { Random } from "../e2e/harness/random.ts";
import { scratch } from "../e2e/harness/scratch.ts";
import type { Figures } from "../reliability/figures.ts";
import type { PartOptions } from "../reliability/parts.ts";
import { CutDisk, type Remains, writeRemains } from "./cut-disk.ts";
import type { Damage } from "./cut-file.ts";
import { CutMoments } from "./cut-moments.ts";
import { buildLibrary } from "./library.ts";
import { cutAgain } from "./power-again.ts";
import { checkRemains } from "./power-check.ts";
import { recordLoad, type Recorded } from "./power-load.ts";
import { serveRemains } from "./power-served.ts";
import { readRecording } from "./recording.ts";
import type { Wrong } from "./timeline.ts";

// Each moment begins at another of them.
const WAYS = ["dropped", "any", "mixed", "torn", "past", "any", "mixed", "kept"] as const;
const MOST_WRONG = 5;
const STATES_AGAIN = 4;

type Options = {
  readonly positions: number;
  readonly states: number;
  readonly served: number;
  readonly again: number;
  readonly messages: number;
  readonly seed: number;
};

type World = {
  readonly options: Options;
  readonly recorded: Recorded;
  readonly disk: CutDisk;
  readonly random: Random;
  readonly library: string;
  /** Where states are built. */
  readonly folder: string;
  /** Where the real server is started on one. */
  readonly served: Installation;
  readonly wrong: Wrong[];
  readonly damage: Damage;
  readonly counts: { cuts: number; states: number; served: number; again: number };
};

/**
 * Records what the real server does to its files, builds what a power cut could have left of them at many moments, and opens
 * each: all that was acknowledged is there, and nothing that was removed. `--positions` moments, `--states` of each;
 * on `--served` of these the real server is started, and in `--again` starts on them the power is cut once more.
 * `--forget segments` believes no sync of a segment: then losses must be found.
 */
export async function run(given: PartOptions): Promise<Figures> {
  const started = performance.now();
  const options: Options = {
    positions: Number(given["positions"] ?? 100),
    states: Number(given["states"] ?? 2),
    served: Number(given["served"] ?? 2),
    again: Number(given["again"] ?? 3),
    messages: Number(given["messages"] ?? 120),
    seed: Number(given["seed"] ?? 20_261_124),
  };
  const forgotten = given["forget"];
  await using stack = new AsyncDisposableStack();
  const random = new Random(options.seed);
  const installation = await install(stack);
  const library = await buildLibrary("record.c", installation.folder);
  const recorded = await recordLoad(stack, { installation, library, random, messages: options.messages });
  const moments = new CutMoments(installation.data);
  for (const call of readRecording(recorded.file)) moments.note(call);
  if (given["verbose"] === true) console.log(moments.kinds, recorded.timeline.counts);
  const world: World = {
    options,
    recorded,
    disk: new CutDisk(installation.data, (file) => typeof forgotten === "string" && file.includes(`/${forgotten}/`)),
    random,
    library,
    folder: path.join(scratch(stack), "state"),
    served: await install(stack),
    wrong: [],
    damage: { dropped: 0, torn: 0, reordered: 0 },
    counts: { cuts: 0, states: 0, served: 0, again: 0 },
  };
  await cutAndLook(world, moments.choose(options.positions, random));
  const words = world.wrong.map(({ kind, text }) => `${kind}: ${text}`).join("\n");
  assert.equal(words, "", `seed ${options.seed}, after ${world.counts.states} states`);
  return figures(world, moments, (performance.now() - started) / 60_000);
}

async function cutAndLook(world: World, moments: readonly number[]): Promise<void> {
  const cuts = [...moments];
  for (const call of readRecording(world.recorded.file)) {
    for (; cuts[0] !== undefined && cuts[0] <= call.from; cuts.shift()) await cutAt(world, cuts[0]);
    world.disk.apply(call);
    if (world.wrong.length >= MOST_WRONG) return;
  }
  for (const cut of cuts) await cutAt(world, cut);
}

async function cutAt(world: World, cut: number): Promise<void> {
  const { options, disk, random, damage, counts } = world;
  counts.cuts += 1;
  for (let state = 0; state < options.states; state += 1) {
    const way = WAYS[(counts.cuts + state) % WAYS.length] ?? "any";
    const remains = disk.cut(way, random, damage);
    await look(world, remains, cut, way);
    if (state > 0 || !world.recorded.timeline.isOpenAt(cut)) continue;
    // Spread over the whole run.
    const share = counts.cuts / options.positions;
    if (counts.again < options.again * share) await lookAgain(world, remains, cut, way);
    if (counts.served < options.served * share) await lookServed(world, remains, cut, way);
  }
}

async function look(world: World, remains: Remains, cut: number, words: string): Promise<void> {
  const { folder, recorded, wrong, counts } = world;
  rmSync(folder, { recursive: true, force: true });
  writeRemains(remains, folder);
  counts.states += 1;
  for (const { kind, text } of await checkRemains(folder, recorded.timeline, cut))
    wrong.push({ kind, text: `cut at ${cut}, ${words}: ${text}` });
}

async function lookAgain(world: World, remains: Remains, cut: number, way: string): Promise<void> {
  const { library, folder, random, damage, counts } = world;
  counts.again += 1;
  const again = await cutAgain(remains, { count: STATES_AGAIN, library, folder, random, damage });
  for (const { remains: second, words } of again) await look(world, second, cut, `${way}, ${words}`);
}

async function lookServed(world: World, remains: Remains, cut: number, way: string): Promise<void> {
  const { served, recorded, wrong, counts } = world;
  counts.served += 1;
  for (const { kind, text } of await serveRemains(remains, served, recorded.timeline, cut))
    wrong.push({ kind, text: `cut at ${cut}, ${way}, served: ${text}` });
}

function figures(world: World, moments: CutMoments, minutes: number): Figures {
  const { options, recorded, damage, counts, wrong } = world;
  const calls = moments.kinds.reduce((sum, [, count]) => sum + count, 0);
  const of = (kind: Wrong["kind"]): string => String(wrong.filter((one) => one.kind === kind).length);
  const words = Object.entries(options).map(([name, value]) => `--${name} ${value}`);
  return {
    name: "power",
    command: `npm run torture -- power ${words.join(" ")}`,
    rows: [
      ["recorded calls that change files", String(calls)],
      ["acknowledged messages", String(recorded.timeline.counts.acknowledged)],
      ["removed by a QUIT that was acknowledged", String(recorded.timeline.counts.removed)],
      ["moments at which the power was cut", String(counts.cuts)],
      ["states built and opened", String(counts.states)],
      ["states on which the real server was started", String(counts.served)],
      ["starts in which the power was cut again", String(counts.again)],
      ["changes that were not on disk", String(damage.dropped)],
      ["writes torn", String(damage.torn)],
      ["files whose writes overtook each other", String(damage.reordered)],
      ["lost", of("lost")],
      ["back after their removal", of("back")],
      ["changed unique ids", of("changed")],
      ["steps done in part", of("halved")],
      ["minutes", minutes.toFixed(1)],
    ],
  };
}
