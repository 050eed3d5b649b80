import assert from "node:assert/strict";
import { Writable } from "node:stream";
import { it } from "node:test";
import { speak } from "./language.ts";
import { progressLine } from "./progress.ts";

function show(isTTY: boolean, steps: readonly (readonly [ms: number, done: number])[]): string {
  let written = "";
  const write = (chunk: Buffer, _: string, done: () => void): void => {
    written += chunk.toString();
    done();
  };
  const stderr = Object.assign(new Writable({ write }), { isTTY });
  let now = 0;
  const progress = progressLine(stderr, speak("en"), () => now);
  for (const [ms, done] of steps) {
    now = ms;
    progress({ done, total: 9 });
  }
  return written;
}

it("says nothing of what takes less than two seconds", () => {
  const steps = [
    [500, 3],
    [1999, 9],
  ] as const;
  assert.equal(show(true, steps), "");
  assert.equal(show(false, steps), "");
});

it("draws over its own line on a terminal, and ends it", () => {
  const steps = [
    [1000, 1],
    [2000, 2],
    [2050, 3],
    [2100, 4],
    [2110, 9],
  ] as const;
  assert.equal(show(true, steps), "\r2 of 9 passwords hashed\r4 of 9 passwords hashed\r9 of 9 passwords hashed\n");
});

it("writes a line now and then elsewhere", () => {
  const steps = [
    [2500, 2],
    [7000, 3],
    [7500, 4],
    [8000, 9],
  ] as const;
  assert.equal(show(false, steps), "2 of 9 passwords hashed\n4 of 9 passwords hashed\n9 of 9 passwords hashed\n");
});
