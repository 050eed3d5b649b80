import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { simulate } from "./simulate.ts";
import { limitsLeftLarge } from "./small-limits.ts";

const FIRST = 100_001;
const SEEDS = 60;

describe("P1 P2 P3 P4 P8 P9 the server over a simulated machine", () => {
  it(`keeps its promises in ${SEEDS} seeds`, async () => {
    const sums = new Map<string, number>();
    for (let seed = FIRST; seed < FIRST + SEEDS; seed += 1) {
      const { broken, figures } = await simulate(seed);
      assert.equal(broken, undefined, `seed ${seed}; its story: npm run sim -- --seed ${seed}`);
      for (const [name, figure] of Object.entries(figures)) sums.set(name, (sums.get(name) ?? 0) + figure);
    }
    // A world in which nothing happens breaks no promise either.
    for (const name of ["kills", "powerCuts", "threadDeaths", "diskFaults", "clockJumps", "acknowledged", "removed"])
      assert.ok((sums.get(name) ?? 0) > SEEDS / 10, `enough of ${name} in ${SEEDS} seeds: ${sums.get(name)}`);
  });

  it("tells the same story of a seed each time", async () => {
    for (const seed of [FIRST, FIRST + 7]) {
      const once = await simulate(seed, { story: true });
      await simulate(seed + 1);
      const again = await simulate(seed, { story: true });
      assert.ok(once.story.length > 10);
      assert.deepEqual(again, once);
    }
  });

  it("finds every limit that it makes small", () => {
    assert.deepEqual(limitsLeftLarge(), []);
  });
});
