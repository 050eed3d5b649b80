import assert from "node:assert/strict";
import path from "node:path";
import { install } from "../e2e/harness/installation.ts";
import { Random } from "../e2e/harness/random.ts";
import { scratch } from "../e2e/harness/scratch.ts";
import { serve } from "../e2e/harness/server.ts";
import type { Figures } from "../reliability/figures.ts";
import type { PartOptions } from "../reliability/parts.ts";
import { killOnce, surveyAll, type World } from "./kill-round.ts";
import { Killer } from "./killer.ts";
import { Ledger } from "./ledger.ts";
import { buildLibrary } from "./library.ts";
import { MOMENTS, type Moment } from "./moments.ts";

const BOXES = ["anna", "bert", "cora", "dora"];
// With fewer kills not every moment has had its turn, or had one in vain.
const KILLS_FOR_ALL = 4 * MOMENTS.length;

/**
 * Kills the real server with -9 under delivery and deletion, again and again, at moments that are spread over the steps of
 * both, over its start and its stop, and holds all maildrops against a ledger that is kept outside of it.
 */
export async function run(options: PartOptions): Promise<Figures> {
  const kills = Number(options["kills"] ?? 30);
  const seed = Number(options["seed"] ?? 20_261_124);
  const started = performance.now();
  await using stack = new AsyncDisposableStack();
  const tools = scratch(stack);
  const installation = await install(stack, { users: BOXES });
  const killer = new Killer(await buildLibrary("killer.c", tools), path.join(tools, "control"));
  const ledger = new Ledger();
  const world: World = { installation, boxes: BOXES, killer, ledger, random: new Random(seed) };
  const hits = await killAgainAndAgain(world, kills, seed, options["verbose"] === true);
  await lookOnceMore(world);
  assert.deepEqual(ledger.problems, [], `seed ${seed}`);
  assert.ok(ledger.counts.acknowledged > kills && ledger.counts.removed > 0, "there was load");
  const never = MOMENTS.filter((moment) => (hits.get(moment) ?? 0) === 0).map(({ step, name }) => `${step}, ${name}`);
  if (kills >= KILLS_FOR_ALL) assert.deepEqual(never, [], "the server was killed at each of the moments");
  return figures({ kills, seed, hits, ledger, minutes: (performance.now() - started) / 60_000 });
}

type Hits = ReadonlyMap<Moment | "another", number>;

async function killAgainAndAgain(world: World, kills: number, seed: number, verbose: boolean): Promise<Hits> {
  const hits = new Map<Moment | "another", number>();
  const turns = new Map<Moment, number>();
  for (let done = 0; done < kills;) {
    const moment = nextMoment(turns, world.random);
    turns.set(moment, (turns.get(moment) ?? 0) + 1);
    const outcome = await killOnce(world, moment);
    if (verbose) console.log(`${done + 1}: ${outcome} at ${moment.step}, ${moment.name}`);
    assert.deepEqual(world.ledger.problems, [], `seed ${seed}, before kill ${done + 1}`);
    if (outcome === "stopped") continue;
    done += 1;
    const where = outcome === "hit" ? moment : "another";
    hits.set(where, (hits.get(where) ?? 0) + 1);
  }
  return hits;
}

/** One of those that had the fewest turns. */
function nextMoment(turns: ReadonlyMap<Moment, number>, random: Random): Moment {
  const turnsOf = (moment: Moment): number => turns.get(moment) ?? 0;
  const fewest = Math.min(...MOMENTS.map(turnsOf));
  return random.pick(MOMENTS.filter((moment) => turnsOf(moment) === fewest));
}

async function lookOnceMore(world: World): Promise<void> {
  await using running = new AsyncDisposableStack();
  world.killer.disarm();
  const server = await serve(running, world.installation);
  await surveyAll(world, server);
  assert.deepEqual(await server.stop(), { code: 0, signal: null }, "it stops in good order");
  await surveyAll(world, await serve(running, world.installation));
}

function figures(found: { kills: number; seed: number; hits: Hits; ledger: Ledger; minutes: number }): Figures {
  const { kills, seed, hits, ledger, minutes } = found;
  const { counts, wrong } = ledger;
  const rows: [string, string][] = MOMENTS.map((moment) => [
    `killed at ${moment.step}: ${moment.name}`,
    String(hits.get(moment) ?? 0),
  ]);
  return {
    name: "kills",
    command: `npm run torture -- --kills ${kills} --seed ${seed}`,
    rows: [
      ["kills", String(kills)],
      ...rows,
      ["killed at another moment", String(hits.get("another") ?? 0)],
      ["messages sent, once for each recipient", String(counts.sent)],
      ["acknowledged", String(counts.acknowledged)],
      ["removed by a QUIT that was acknowledged", String(counts.removed)],
      ["messages read and compared after a kill", String(counts.checked)],
      ["lost", String(wrong.lost)],
      ["back after their removal", String(wrong.back)],
      ["changed unique ids", String(wrong.changed)],
      ["steps done in part", String(wrong.halved)],
      ["minutes", minutes.toFixed(1)],
    ],
  };
}
