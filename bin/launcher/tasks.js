"use strict";
// Each task of package.json as arguments for Node. The globs are Node's own, so that no shell is needed.

const reporter = ["--test-reporter=./scripts/test-reporter.ts"];
const unitTests = [
  "src/**/*.test.ts",
  "test/*.test.ts",
  "test/contracts/**/*.test.ts",
  "test/fuzz/**/*.test.ts",
  "test/sim/**/*.test.ts",
  "test/torture/**/*.test.ts",
  "test/soak/**/*.test.ts",
];
const realPrograms = ["test/e2e/**/*.test.ts"];

/** @type {Readonly<Record<string, (given: readonly string[]) => readonly string[]>>} */
const tasks = {
  // The time-outs are for a whole file: far above what one takes, so that a test that hangs fails instead of waiting.
  test: (given) => testRun(["--test-timeout=300000"], unitTests, given),
  // One after the other: they start real programs on fixed ports and measure time.
  e2e: (given) => testRun(["--test-concurrency=1", "--test-timeout=1200000"], realPrograms, given),
  "e2e:clients": (given) =>
    given[0] === "--write"
      ? ["test/e2e/client-table/write.ts"]
      : testRun(["--test-timeout=1200000"], ["test/e2e/client-table/*.test.ts"], given),
  fuzz: (given) => ["test/fuzz/run.ts", ...given],
  sim: (given) => ["test/sim/run.ts", ...given],
  torture: (given) => ["test/torture/run.ts", ...given],
  measure: (given) => ["test/measure/run.ts", ...given],
  soak: (given) => ["test/soak/run.ts", ...given],
  bench: (given) => ["bench/run.ts", ...given],
  check: (given) => ["scripts/check.ts", ...given],
  // Only this script: it strips types by a function of Node's that is still experimental.
  coverage: (given) => ["--disable-warning=ExperimentalWarning", "scripts/coverage.ts", ...given],
  format: (given) => ["node_modules/prettier/bin/prettier.cjs", "--write", ...(given.length > 0 ? given : ["."])],
};

/**
 * The arguments for Node that run this task, or undefined when there is none of that name.
 *
 * @param {string} name
 * @param {readonly string[]} given
 * @returns {readonly string[] | undefined}
 */
function taskArguments(name, given) {
  return Object.hasOwn(tasks, name) ? tasks[name]?.(given) : undefined;
}

/**
 * A run of node:test. `--grep X` is short for `--test-name-pattern X`; other options go to Node as they are, with their
 * value after `=`; files or globs take the place of the task's own.
 *
 * @param {readonly string[]} options
 * @param {readonly string[]} files
 * @param {readonly string[]} given
 * @returns {readonly string[]}
 */
function testRun(options, files, given) {
  /** @type {string[]} */
  const passed = [];
  /** @type {string[]} */
  const chosen = [];
  const rest = [...given];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    const pattern = /^--(?:grep|test-name-pattern)(?:=(.*))?$/s.exec(word);
    if (pattern) passed.push(`--test-name-pattern=${namePattern(pattern[1] ?? rest.shift() ?? "")}`);
    else if (word.startsWith("-")) passed.push(word);
    else chosen.push(word);
  }
  const reporters = passed.some((option) => option.startsWith("--test-reporter")) ? [] : reporter;
  return ["--test", ...reporters, ...options, ...passed, ...(chosen.length > 0 ? chosen : files)];
}

/**
 * A promise of the design is asked for by its id alone: P1, which is not P10.
 *
 * @param {string} asked
 * @returns {string}
 */
function namePattern(asked) {
  return /^P\d+$/.test(asked) ? `\\b${asked}\\b` : asked;
}

module.exports = { taskArguments };
