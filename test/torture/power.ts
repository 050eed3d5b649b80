import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import path from "node:path";
import { install } from "../e2e/harness/installation.ts";
import { Random } from "../e2e/harness/random.ts";
import { scratch } from "../e2e/harness/scratch.ts";
import type { Figures } from "../reliability/figures.ts";
import type { PartOptions } from "../reliability/parts.ts";
import { CutDisk, writeRemains } from "./cut-disk.ts";
import type { Damage } from "./cut-file.ts";
import { CutMoments } from "./cut-moments.ts";
import { buildLibrary } from "./library.ts";
import { checkRemains } from "./power-check.ts";
import { recordLoad, type Recorded } from "./power-load.ts";
import { readRecording } from "./recording.ts";
import type { Wrong } from "./timeline.ts";

const WAYS = ["dropped", "any", "mixed", "torn", "past", "any", "mixed", "kept"] as const;
const MOST_WRONG = 5;

type Found = { readonly wrong: Wrong[]; readonly damage: Damage; cuts: number; states: number };

/**
 * Records what the real server does to its files, builds what a power cut could have left of them at many moments, and opens
 * each: all that was acknowledged is there, and nothing else than that it could be. `--positions` moments, `--states` of each.
 * `--forget segments` believes no sync of a segment: then losses must be found.
 */
export async function run(options: PartOptions): Promise<Figures> {
  const positions = Number(options["positions"] ?? 150);
  const states = Number(options["states"] ?? 2);
  const seed = Number(options["seed"] ?? 20_261_124);
  const messages = Number(options["messages"] ?? 150);
  const forget = typeof options["forget"] === "string" ? options["forget"] : undefined;
  const started = performance.now();
  await using stack = new AsyncDisposableStack();
  const random = new Random(seed);
  const installation = await install(stack);
  const library = await buildLibrary("record.c", installation.folder);
  const recorded = await recordLoad(stack, { installation, library, random, messages });
  const { data } = installation;
  const moments = new CutMoments(data);
  for (const call of readRecording(recorded.file)) moments.note(call);
  if (options["verbose"] === true) console.log(moments.kinds, recorded.timeline.counts);
  const cuts = moments.choose(positions, random);
  const disk = new CutDisk(data, (file) => forget !== undefined && file.includes(`/${forget}/`));
  const found = await cutAndLook({ recorded, cuts, disk, states, random, folder: path.join(scratch(stack), "state") });
  const words = found.wrong.map(({ kind, text }) => `${kind}: ${text}`).join("\n");
  assert.equal(words, "", `seed ${seed}, after ${found.states} states`);
  return figures(
    { positions, states, seed, messages },
    recorded,
    moments,
    found,
    (performance.now() - started) / 60_000,
  );
}

async function cutAndLook(given: {
  readonly recorded: Recorded;
  readonly cuts: readonly number[];
  readonly disk: CutDisk;
  readonly states: number;
  readonly random: Random;
  readonly folder: string;
}): Promise<Found> {
  const { recorded, disk, states, random, folder } = given;
  const found: Found = { wrong: [], damage: { dropped: 0, torn: 0, reordered: 0 }, cuts: 0, states: 0 };
  const cuts = [...given.cuts];
  const look = async (cut: number): Promise<void> => {
    found.cuts += 1;
    for (let state = 0; state < states && found.wrong.length < MOST_WRONG; state += 1) {
      const way = WAYS[(found.cuts + state) % WAYS.length] ?? "any";
      rmSync(folder, { recursive: true, force: true });
      writeRemains(disk.cut(way, random, found.damage), folder);
      found.states += 1;
      for (const { kind, text } of await checkRemains(folder, recorded.timeline, cut))
        found.wrong.push({ kind, text: `cut at ${cut}, ${way}: ${text}` });
    }
  };
  for (const call of readRecording(recorded.file)) {
    for (; cuts[0] !== undefined && cuts[0] <= call.from; cuts.shift()) await look(cuts[0]);
    disk.apply(call);
  }
  for (const cut of cuts) await look(cut);
  return found;
}

function figures(
  given: { positions: number; states: number; seed: number; messages: number },
  { timeline }: Recorded,
  moments: CutMoments,
  { damage, cuts, states }: Found,
  minutes: number,
): Figures {
  const calls = moments.kinds.reduce((sum, [, count]) => sum + count, 0);
  const { positions, states: each, seed, messages } = given;
  return {
    name: "power",
    command: `npm run torture -- power --positions ${positions} --states ${each} --messages ${messages} --seed ${seed}`,
    rows: [
      ["recorded calls that change files", String(calls)],
      ["acknowledged messages", String(timeline.counts.acknowledged)],
      ["removed by a QUIT that was acknowledged", String(timeline.counts.removed)],
      ["moments at which the power was cut", String(cuts)],
      ["states built and opened", String(states)],
      ["changes that were not on disk", String(damage.dropped)],
      ["writes torn", String(damage.torn)],
      ["files whose writes overtook each other", String(damage.reordered)],
      ["lost", "0"],
      ["back after their removal", "0"],
      ["changed unique ids", "0"],
      ["steps done in part", "0"],
      ["minutes", minutes.toFixed(1)],
    ],
  };
}
