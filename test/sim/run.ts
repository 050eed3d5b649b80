import { fork } from "node:child_process";
import { parseArgs } from "node:util";
import { reportFigures } from "../reliability/figures.ts";
import type { Figures } from "../reliability/figures.ts";
import type { Outcome } from "./simulate.ts";

/*
 * `npm run sim`: many seeds, in processes of their own; or one seed, with its story. Exit code 1: a promise was broken.
 */

const HELP = `npm run sim -- [options]

Runs the whole server over a simulated disk, clock and network, each seed with other faults, and looks whether
a promise is broken.

  --seeds N      how many seeds (2000)
  --first K      the first of them (1)
  --workers N    processes that share them (2)
  --seed N       one seed: plays it again and prints the shortest story of its failure
  --whole        with --seed: the whole story, also where nothing is broken
  --write        keeps the figures for docs/reliability.md

for example: npm run sim -- --seeds 20000 --first 1`;

const CHUNK = 25;
const PROGRESS_MS = 2000;

type Chunk = { readonly first: number; readonly count: number };

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "2000" },
    first: { type: "string", default: "1" },
    workers: { type: "string", default: "2" },
    seed: { type: "string" },
    whole: { type: "boolean", default: false },
    write: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
    // What this program tells itself.
    child: { type: "boolean", default: false },
  },
});

if (values.help) console.log(HELP);
else if (values.child) await serveParent();
else if (values.seed !== undefined) await tellOne(number("seed", values.seed), values.whole);
else await runMany();

async function runMany(): Promise<void> {
  const seeds = number("seeds", values.seeds);
  const first = number("first", values.first);
  const started = performance.now();
  const sums = new Map<string, number>();
  const broken: Outcome[] = [];
  let done = 0;
  let told = started;
  const take = (outcome: Outcome): void => {
    done += 1;
    if (outcome.broken !== undefined) broken.push(outcome);
    for (const [name, figure] of Object.entries(outcome.figures)) sums.set(name, (sums.get(name) ?? 0) + figure);
    if (performance.now() - told < PROGRESS_MS) return;
    told = performance.now();
    console.error(`${done} of ${seeds} seeds, ${broken.length} with a broken promise`);
  };
  await shareOut(first, seeds, number("workers", values.workers), take);
  for (const outcome of broken.toSorted((one, other) => one.seed - other.seed))
    console.log(`seed ${outcome.seed}: ${outcome.broken}`);
  const figures = figuresOf(sums, seeds, broken.length, (performance.now() - started) / 1000);
  reportFigures(figures, values.write && broken.length === 0);
  const [worst] = broken;
  if (worst === undefined) return;
  process.exitCode = 1;
  console.log("");
  await tellOne(worst.seed, false);
}

/** Has processes play chunks of the seeds until all are done. */
async function shareOut(
  first: number,
  seeds: number,
  workers: number,
  take: (outcome: Outcome) => void,
): Promise<void> {
  let next = first;
  const chunk = (): Chunk | undefined => {
    const count = Math.min(CHUNK, first + seeds - next);
    next += count;
    return count <= 0 ? undefined : { first: next - count, count };
  };
  const work = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const child = fork(import.meta.filename, ["--child"]);
      child.on("message", (message: Outcome | "ready") => {
        if (message !== "ready") return take(message);
        const given = chunk();
        if (given === undefined) child.disconnect();
        else child.send(given);
      });
      child.on("exit", (code) => (code === 0 ? resolve() : reject(new Error(`a worker ended with code ${code}`))));
    });
  await Promise.all(Array.from({ length: workers }, work));
}

async function serveParent(): Promise<void> {
  const { simulate } = await import("./simulate.ts");
  const say = (message: unknown): void => void process.send?.(message);
  process.on("message", ({ first, count }: Chunk) => {
    void (async () => {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      for (let seed = first; seed < first + count; seed += 1) say(await simulate(seed));
      say("ready");
    })();
  });
  say("ready");
}

async function tellOne(seed: number, whole: boolean): Promise<void> {
  const { play, simulate } = await import("./simulate.ts");
  const { makePlan } = await import("./make-plan.ts");
  const { shrink } = await import("./shrink.ts");
  const outcome = await simulate(seed, { story: whole });
  if (outcome.broken === undefined || whole) {
    for (const line of outcome.story) console.log(line);
    console.log(`seed ${seed}: ${outcome.broken ?? "no promise is broken"}`);
    process.exitCode = outcome.broken === undefined ? 0 : 1;
    return;
  }
  process.exitCode = 1;
  const plan = await shrink(makePlan(seed), outcome.broken, (smaller) => play(smaller));
  const { story, broken } = await play(plan, { story: true });
  console.log(`The shortest story of seed ${seed}; again: npm run sim -- --seed ${seed}\n`);
  for (const line of story) console.log(line);
  console.log(`\nseed ${seed}: ${broken}`);
  console.log(`what is left of its plan: ${JSON.stringify({ actors: plan.actors, faults: plan.faults })}`);
}

function figuresOf(sums: ReadonlyMap<string, number>, seeds: number, broken: number, seconds: number): Figures {
  const sum = (name: string): string => (sums.get(name) ?? 0).toLocaleString("en");
  return {
    name: "simulator",
    command: `npm run sim -- --seeds ${seeds}`,
    rows: [
      ["seeds", seeds.toLocaleString("en")],
      ["seeds with a broken promise", String(broken)],
      ["starts of the server", sum("lives")],
      ["killed", sum("kills")],
      ["power cuts", sum("powerCuts")],
      ["stopped, or refused to start", sum("stops")],
      ["threads that died", sum("threadDeaths")],
      ["disk faults", sum("diskFaults")],
      ["restarts after a failed sync", sum("restartsAfterStop")],
      ["jumps of the clock", sum("clockJumps")],
      ["steps on disk and rows", sum("steps")],
      ["messages acknowledged", sum("acknowledged")],
      ["messages removed", sum("removed")],
      ["checks", sum("checks")],
      ["simulated hours", Math.round((sums.get("virtualMs") ?? 0) / 3_600_000).toLocaleString("en")],
      ["time", `${Math.round(seconds)} s`],
    ],
  };
}

function number(name: string, text: string): number {
  const found = Number(text);
  if (Number.isSafeInteger(found) && found >= 0) return found;
  console.error(`--${name} is a whole number, such as ${name === "workers" ? 2 : 2000}`);
  return process.exit(2);
}
