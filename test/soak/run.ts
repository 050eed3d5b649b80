import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";
import { assertConsistent } from "../contracts/store-consistency.ts";
import { install } from "../e2e/harness/installation.ts";
import { serve, type Server } from "../e2e/harness/server.ts";
import { reportFigures } from "../reliability/figures.ts";
import { BOUNDS, type Watched } from "./bounds.ts";
import { BOXES, Life, PHOENIX, soakConfig } from "./life.ts";
import { lookAt, type Look } from "./samples.ts";
import { grows, trendOf, type Trend } from "./trend.ts";

/*
 * `npm run soak -- [--minutes 30] [--seed N] [--write]`: the mixed life of a small company at a steady rate, with all that people,
 * networks and administrators do to a server. After a warm-up of a third nothing may grow, and at the end nothing may be missing.
 */
const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "30" },
    seed: { type: "string", default: "1" },
    write: { type: "boolean", default: false },
  },
});
const minutes = Number(values.minutes);
const SAMPLE_MS = 2000;
const SAMPLES_A_LINE = 5;
const WARM_UP = 1 / 3;

type Timed = { readonly seconds: number; readonly look: Look };

await using stack = new AsyncDisposableStack();
const installation = await install(stack, { users: [...BOXES, PHOENIX], config: soakConfig(1) });
const server = await serve(stack, installation);
const life = new Life(server, Number(values.seed));
const samples = await live();
await life.check();
assert.deepEqual(await server.stop(), { code: 0, signal: null }, "it stops in good order");
assertConsistent(installation.data);
assertNoOrphans(installation.data);
report();

/** Samples of the whole run. */
async function live(): Promise<Timed[]> {
  const begin = performance.now();
  const elapsed = () => (performance.now() - begin) / 1000;
  const taken: Timed[] = [];
  const living = life.run();
  // What goes wrong in it ends the run at the next sample, and is thrown below.
  const failed = new AbortController();
  living.catch(() => failed.abort());
  while (elapsed() < minutes * 60 && !failed.signal.aborted) {
    taken.push({ seconds: elapsed(), look: await lookAt(server) });
    if (taken.length % SAMPLES_A_LINE === 0) progress(taken.at(-1));
    await pause(SAMPLE_MS);
  }
  life.end();
  try {
    await living;
  } catch (cause) {
    throw new Error(`the server said: ${lastWords(server)}`, { cause });
  }
  return taken;
}

function progress(timed: Timed | undefined): void {
  if (timed === undefined) return;
  const { acknowledged, removed } = life.ledger.counts;
  const { seconds, look } = timed;
  const figures = Object.entries(look).map(([name, value]) => `${Math.round(value)} ${name}`);
  console.log(`${Math.round(seconds)} s: ${acknowledged} delivered, ${removed} removed; ${figures.join(", ")}`);
}

function report(): void {
  const warm = samples.filter(({ seconds }) => seconds >= minutes * 60 * WARM_UP);
  const rows: [string, string][] = [...life.acts].map(([name, count]) => [name, String(count)]);
  rows.push(["acknowledged, and there or removed", String(life.ledger.counts.acknowledged)]);
  const grown: string[] = [];
  for (const [name, bound] of Object.entries(BOUNDS) as [Watched, (typeof BOUNDS)[Watched]][]) {
    const trend = trendOf(
      warm.map(({ seconds, look }) => ({ seconds, value: look[name] })),
      bound.of,
    );
    rows.push([name, `${words(trend)}, at most ${bound.perMinute}`]);
    if (grows(trend, bound)) grown.push(`${name}: ${words(trend)}`);
  }
  reportFigures(
    { name: "soak", command: `npm run soak -- --minutes ${minutes}`, rows },
    values.write && grown.length === 0,
  );
  assert.deepEqual(grown, [], "nothing grows");
}

function words({ slope, first, last }: Trend): string {
  return `${first.toFixed(0)} to ${last.toFixed(0)}, ${slope.toFixed(2)} a minute`;
}

/** Files without rows are garbage: none may be left by a life without crashes. */
function assertNoOrphans(data: string): void {
  const bodies = path.join(data, "bodies");
  using sql = new DatabaseSync(path.join(data, "mailkeep.db"), { readOnly: true });
  const segments = new Set(
    sql
      .prepare("select id from segment")
      .all()
      .map(({ id }) => Number(id)),
  );
  const own = new Set(
    sql
      .prepare("select id from body where segment is null")
      .all()
      .map(({ id }) => Number(id)),
  );
  const files = readdirSync(path.join(bodies, "files")).flatMap((folder) =>
    readdirSync(path.join(bodies, "files", folder)),
  );
  assert.deepEqual(new Set(files.map(Number)), own, "each file of a large body has its row");
  const found = readdirSync(path.join(bodies, "segments")).map((name) => Number.parseInt(name, 16));
  assert.deepEqual(
    found.filter((id) => !segments.has(id)),
    [],
    "each segment has its row",
  );
  assert.deepEqual(readdirSync(path.join(bodies, "spool")), [], "no spool file is left");
}

function lastWords({ log }: Server): string {
  return log
    .filter(({ level }) => level !== "info")
    .slice(-20)
    .map((line) => JSON.stringify(line))
    .join("\n");
}
