import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { MOST_THREADS } from "../lease-words.ts";
import { ThreadNumbers } from "./thread-numbers.ts";

describe("ThreadNumbers", () => {
  it("P4: never gives a number that is in use, however often threads come and go", () => {
    const numbers = new ThreadNumbers();
    const main = numbers.take();
    for (let restart = 0; restart < 3 * MOST_THREADS; restart += 1) {
      const number = numbers.take();
      assert.notEqual(number, main);
      assert(number > 0 && number < MOST_THREADS);
      numbers.give(number);
    }
  });
});
