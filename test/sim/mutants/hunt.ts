import { mutantOf } from "./mutants.ts";
import { plant } from "./plant.ts";

/*
 * `node hunt.ts NAME MOST`: simulates seeds 1 to MOST with a mistake in the program, until one breaks a promise. Prints the
 * seed, or 0, with what was broken and the seconds it took.
 */
const [name = "", most = "0"] = process.argv.slice(2);
plant(mutantOf(name));
const { simulate } = await import("../simulate.ts");
const started = process.cpuUsage();
let found = { seed: 0, broken: "" };
for (let seed = 1; seed <= Number(most) && found.seed === 0; seed += 1) {
  const { broken } = await simulate(seed);
  if (broken !== undefined) found = { seed, broken };
}
const { user, system } = process.cpuUsage(started);
process.stdout.write(`${JSON.stringify({ ...found, seconds: (user + system) / 1e6 })}\n`);
