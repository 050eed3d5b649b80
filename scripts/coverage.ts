import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import path from "node:path";
import tasks from "../bin/launcher/tasks.js";

const leastEnginePercent = 95;
const record = "coverage/lcov.info";

type Lines = { found: number; hit: number };

// Which lines of `src` the tests reach. The engines hold the protocols' rules: a line of theirs that no test reaches fails.
mkdirSync(path.dirname(record), { recursive: true });
const testsPassed = await runTests();
const files = readRecord(readFileSync(record, "utf8"));
const weak = [...files].filter(([file, lines]) => file.includes("/engine/") && percent(lines) < leastEnginePercent);

for (const [folder, lines] of byFolder(files)) console.log(`${folder.padEnd(24)} ${show(lines)}`);
console.log(`${"all lines".padEnd(24)} ${show(sum([...files.values()]))}`);
for (const [file, lines] of weak) console.log(`✖ ${file}: ${show(lines)}, an engine needs ${leastEnginePercent} %`);
if (files.size === 0) console.log("✖ no file of src was measured");
process.exitCode = testsPassed && weak.length === 0 && files.size > 0 ? 0 : 1;

async function runTests(): Promise<boolean> {
  const options = [
    "--experimental-test-coverage",
    // Without it a file that no test imports is left out, which looks better the less is tested.
    "--test-coverage-include-all",
    "--test-coverage-include=src/**/*.ts",
    "--test-coverage-exclude=**/*.test.ts",
    "--test-reporter=./scripts/test-reporter.ts",
    "--test-reporter-destination=stdout",
    "--test-reporter=lcov",
    `--test-reporter-destination=${record}`,
  ];
  const child = spawn(process.execPath, [...(tasks.taskArguments("test", options) ?? [])], {
    stdio: ["ignore", "inherit", "inherit"],
    // Functions that come out of the compile cache are counted less exactly.
    env: { ...process.env, NODE_DISABLE_COMPILE_CACHE: "1" },
  });
  const [code] = await once(child, "exit");
  return code === 0;
}

/** The line counts of each file with code in an lcov record. */
function readRecord(text: string): ReadonlyMap<string, Lines> {
  const result = new Map<string, Lines>();
  for (const part of text.split("end_of_record")) {
    const file = /^SF:(.*)$/m.exec(part)?.[1];
    if (file === undefined) continue;
    const found = Number(/^LF:(\d+)$/m.exec(part)?.[1] ?? 0);
    const hit = Number(/^LH:(\d+)$/m.exec(part)?.[1] ?? 0);
    if (hasCode(file)) result.set(path.relative(".", file).split(path.sep).join("/"), { found, hit });
  }
  return result;
}

/** Whether anything is left of a file without its types. A file of types is never loaded, and so never counted as reached. */
function hasCode(file: string): boolean {
  const code = stripTypeScriptTypes(readFileSync(file, "utf8"));
  return (
    code
      .replace(/\/\*[^]*?\*\/|\/\/.*/g, "")
      .replace(/export\s*\{\s*\};?/g, "")
      .trim() !== ""
  );
}

function byFolder(all: ReadonlyMap<string, Lines>): readonly (readonly [string, Lines])[] {
  const folders = Map.groupBy(all, ([file]) => path.posix.dirname(file));
  const sums = [...folders].map(([folder, inside]) => [folder, sum(inside.map(([, lines]) => lines))] as const);
  return sums.toSorted(([a], [b]) => a.localeCompare(b));
}

function sum(all: readonly Lines[]): Lines {
  return all.reduce((total, { found, hit }) => ({ found: total.found + found, hit: total.hit + hit }), {
    found: 0,
    hit: 0,
  });
}

function percent({ found, hit }: Lines): number {
  return found === 0 ? 100 : (100 * hit) / found;
}

function show(lines: Lines): string {
  return `${percent(lines).toFixed(1).padStart(5)} % of ${lines.found} lines`;
}
