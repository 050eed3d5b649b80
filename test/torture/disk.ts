import assert from "node:assert/strict";
import type { Figures } from "../reliability/figures.ts";
import type { PartOptions } from "../reliability/parts.ts";
import { allCases, type Case } from "./disk-cases.ts";
import { countCalls, failAtStart, failAtStop, type Made } from "./disk-ends.ts";
import { failUnderLoad } from "./disk-load.ts";
import { makeWorld, type World } from "./disk-world.ts";
import { Random } from "../e2e/harness/random.ts";

// What a short run takes: some of each kind. `--cases all` takes them all.
const SHORT_RUN = 14;

/**
 * The real server on a disk that fails: each call that changes files, at each place where it makes it, fails, comes up short,
 * blocks, or loses what it was given, once or until it is mended, under delivery and deletion, at a start and at a stop.
 * A ledger outside holds what was acknowledged against what is there.
 */
export async function run(options: PartOptions): Promise<Figures> {
  const seed = Number(options["seed"] ?? 20_261_125);
  const started = performance.now();
  await using stack = new AsyncDisposableStack();
  const world = await makeWorld(stack, seed);
  const made = await countCalls(world);
  const cases = choose(
    allCases((when, fault) => made(when, fault) > 0),
    options,
    new Random(seed),
  );
  const fired = new Map<string, number>();
  for (const [index, given] of cases.entries()) {
    const begin = performance.now();
    const times = await runOne(world, given, made, `seed ${seed}, case ${index + 1}`);
    const what = whatFails(given);
    fired.set(what, (fired.get(what) ?? 0) + times);
    if (options["verbose"] === true)
      console.log(`${index + 1}/${cases.length} ${given.name}: ${times}, ${Math.round(performance.now() - begin)} ms`);
  }
  const minutes = (performance.now() - started) / 60_000;
  return figures({ world, cases, fired, minutes, seed });
}

async function runOne(world: World, given: Case, made: Made, where: string): Promise<number> {
  try {
    const times = await runners[given.when](world, given, made);
    assert.ok(times > 0, "the fault was met");
    return times;
  } catch (cause) {
    throw new Error(`${where}: ${given.name}\n${world.watched?.output.slice(-3000) ?? ""}`, { cause });
  }
}

const runners = { load: failUnderLoad, start: failAtStart, stop: failAtStop } as const;

/** `--case TEXT`: those of that name; `--cases N`: so many, spread over all kinds; `--cases all`: the whole matrix. */
function choose(all: readonly Case[], options: PartOptions, random: Random): readonly Case[] {
  const named = options["case"];
  if (typeof named === "string") return all.filter(({ name }) => name.includes(named));
  const wanted = options["cases"] === "all" ? all.length : Number(options["cases"] ?? SHORT_RUN);
  // Each stretch of the list gives one: neighbours there are alike.
  const chosen = Array.from({ length: Math.min(wanted, all.length) }, (_, index, { length } = { length: wanted }) => {
    const from = Math.floor((index * all.length) / length);
    const to = Math.floor(((index + 1) * all.length) / length) - 1;
    return all[random.between(from, Math.max(from, to))];
  });
  return chosen.filter((given) => given !== undefined);
}

function whatFails({ when, faults: [{ calls, places }] }: Case): string {
  return when === "load" ? `${calls.join(" or ")} of ${places.join()}` : `any call at a ${when}`;
}

function figures(found: {
  readonly world: World;
  readonly cases: readonly Case[];
  readonly fired: ReadonlyMap<string, number>;
  readonly minutes: number;
  readonly seed: number;
}): Figures {
  const { world, cases, fired, minutes, seed } = found;
  const { ledger, counts } = world;
  const { counts: mail, wrong } = ledger;
  const number = (one: (given: Case) => boolean): string => String(cases.filter(one).length);
  return {
    name: "disk",
    command: `npm run torture -- disk --cases ${cases.length} --seed ${seed}`,
    rows: [
      ["faults, each at a moment of its own", String(cases.length)],
      ["under load", number(({ when }) => when === "load")],
      ["while the server started after a crash", number(({ when }) => when === "start")],
      ["while it stopped", number(({ when }) => when === "stop")],
      ...[...fired].map(([what, times]) => [`met by ${what}`, String(times)] as const),
      ["starts that were refused in words", String(counts.refusedStarts)],
      ["messages sent, once for each recipient", String(mail.sent)],
      ["acknowledged", String(mail.acknowledged)],
      ["removed by a QUIT that was acknowledged", String(mail.removed)],
      ["surveys of all maildrops", String(counts.surveys)],
      ["lost", String(wrong.lost)],
      ["back after their removal", String(wrong.back)],
      ["changed unique ids", String(wrong.changed)],
      ["steps done in part", String(wrong.halved)],
      ["acknowledged after a failed sync, before the restart", "0"],
      [
        "slowest answer to another reader while a call did not come back",
        `${Math.round(counts.slowestWhileBlocked)} ms`,
      ],
      ["minutes", minutes.toFixed(1)],
    ],
  };
}
