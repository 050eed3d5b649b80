import assert from "node:assert/strict";
import { test } from "node:test";
import { filesByPromise, readPromises } from "./promise-names.ts";

const LEAST_TESTS = 3;
const promises = readPromises();
const named = filesByPromise();

test("each promise of the design has tests that carry its name", () => {
  const silent = promises
    .map(({ id }) => `${id}: ${named.get(id)?.length ?? 0} tests`)
    .filter((_, index) => (named.get(promises[index]?.id ?? "")?.length ?? 0) < LEAST_TESTS);
  assert.deepEqual(silent, []);
  assert.deepEqual(
    promises.map(({ id }) => id),
    Array.from({ length: 10 }, (_, index) => `P${index + 1}`),
  );
});

test("no test carries the name of a promise that is none", () => {
  const known = new Set(promises.map(({ id }) => id));
  const unknown = [...named].filter(([id]) => !known.has(id));
  assert.deepEqual(unknown, []);
});

test("--grep asks for one promise, not for those whose names begin alike", async () => {
  const { taskArguments } = (await import("../bin/launcher/tasks.js")) as {
    taskArguments: (name: string, given: readonly string[]) => readonly string[];
  };
  const patternOf = (...given: string[]): RegExp => {
    const option = taskArguments("test", given).find((word) => word.startsWith("--test-name-pattern="));
    return new RegExp(option?.slice("--test-name-pattern=".length) ?? "^$");
  };
  for (const pattern of [patternOf("--grep", "P1"), patternOf("--grep=P1")]) {
    assert.match("P1: a name", pattern);
    assert.match("a name (P1)", pattern);
    assert.doesNotMatch("P10: a name", pattern);
  }
  assert.match("1939-01 a name", patternOf("--grep", "1939-0[12]"));
});
