import { parseArgs } from "node:util";
import { Campaign } from "./campaign.ts";
import { keepCase } from "./corpus.ts";
import { fuzzServer } from "./server/fuzz-server.ts";
import type { Target } from "./target.ts";
import { data } from "./targets/data.ts";
import { dots } from "./targets/dots.ts";
import { downgrade } from "./targets/downgrade.ts";
import { lines } from "./targets/lines.ts";
import { pop3 } from "./targets/pop3.ts";
import { proxy } from "./targets/proxy.ts";
import { sasl } from "./targets/sasl.ts";

/*
 * npm run fuzz -- [--minutes 10] [--target NAME] [--seed N] [--keep]
 * Throws mutated input at everything that strangers can reach. The seed says everything but where the time ends.
 */
const runs = new Map<string, (seconds: number) => number>([
  ofTarget(pop3),
  ofTarget(sasl),
  ofTarget(proxy),
  ofTarget(lines),
  ofTarget(dots),
  ofTarget(data),
  ofTarget(downgrade),
]);
const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "10" },
    target: { type: "string" },
    seed: { type: "string", default: String(Date.now() % 1_000_000_000) },
    keep: { type: "boolean", default: false },
  },
});
const seed = Number(values.seed);
const names = [...runs.keys(), "server"].filter((name) => (values.target ?? name) === name);
if (names.length === 0 || !Number.isSafeInteger(seed) || !(Number(values.minutes) > 0)) {
  console.error(`--target is one of ${[...runs.keys(), "server"].join(", ")}; --minutes and --seed are numbers`);
  process.exit(2);
}
// The engine and the server are many times larger than a parser, and so get more of the time.
const shares = names.map((name) => ({ pop3: 4, server: 4, sasl: 2, downgrade: 2 })[name] ?? 1);
const secondsOfShare = (Number(values.minutes) * 60) / shares.reduce((sum, share) => sum + share, 0);
console.log(`seed ${seed}; ${names.join(", ")}: ${values.minutes} minutes`);
let findings = 0;
for (const [at, name] of names.entries()) {
  const seconds = secondsOfShare * (shares[at] ?? 1);
  if (name === "server") findings += await fuzzServer(seed, seconds, values.keep);
  else findings += runs.get(name)?.(seconds) ?? 0;
}
console.log(findings === 0 ? "no rule was broken" : `${findings} findings; again with --seed ${seed}`);
process.exitCode = findings === 0 ? 0 : 1;

function ofTarget<Case>(target: Target<Case>): readonly [name: string, run: (seconds: number) => number] {
  return [target.name, (seconds) => run(target, seconds)];
}

function run<Case>(target: Target<Case>, seconds: number): number {
  const campaign = new Campaign(target, seed);
  const started = performance.now();
  const spent = () => (performance.now() - started) / 1000;
  campaign.begin();
  while (spent() < seconds && !campaign.done) campaign.batch();
  const rate = Math.round(campaign.executions / spent());
  const { executions, kinds } = campaign;
  console.log(`${target.name.padEnd(9)} ${executions} cases, ${rate} a second, ${kinds} kinds of behaviour`);
  for (const { each, failure, file } of campaign.findings) {
    const kept = file ?? keepCase(target, each, "found", failure.message.replaceAll("\n", " ").slice(0, 200));
    const why = failure.name === "BrokenRule" ? failure.message : (failure.stack ?? failure.message);
    console.log(`\n--- ${target.name}: ${why}\n--- ${kept}\n${target.story(each)}`);
  }
  if (values.keep) for (const each of campaign.cover()) keepCase(target, each, "kept");
  return campaign.findings.length;
}
