import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { text } from "node:stream/consumers";

type Check = Readonly<{ name: string; program: string; arguments: readonly string[] }>;

const tools = path.resolve("node_modules");

// All of them run, also after one has failed: a round trip for each kind of mistake is the slowest way to be told.
const checks: readonly Check[] = [
  { name: "types", program: `${tools}/typescript/bin/tsc`, arguments: ["--project", "."] },
  { name: "lint", program: `${tools}/oxlint/bin/oxlint`, arguments: ["--type-aware", "--deny-warnings"] },
  { name: "format", program: `${tools}/prettier/bin/prettier.cjs`, arguments: ["--check", "--log-level=warn", "."] },
  { name: "dead code", program: `${tools}/knip/bin/knip.js`, arguments: ["--no-progress"] },
  { name: "figures", program: "scripts/reliability.ts", arguments: ["--check"] },
  { name: "architecture", program: "--test", arguments: ["test/architecture.test.ts"] },
];

const failed: string[] = [];
for (const check of checks) {
  const started = performance.now();
  const { passed, output } = await run(check);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`${passed ? "✔" : "✖"} ${check.name.padEnd(14)} ${seconds.padStart(5)} s`);
  if (passed) continue;
  failed.push(check.name);
  console.log(output);
}
console.log(failed.length === 0 ? `all ${checks.length} checks passed` : `failed: ${failed.join(", ")}`);
process.exitCode = failed.length === 0 ? 0 : 1;

async function run(check: Check): Promise<{ passed: boolean; output: string }> {
  const child = spawn(process.execPath, [check.program, ...check.arguments], {
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      ...process.env,
      // The tools look for one another on the PATH, and must find the pinned ones.
      PATH: `${path.join(tools, ".bin")}${path.delimiter}${process.env["PATH"] ?? ""}`,
      // Some colour their output when they see that CI is set, which no log shows.
      NO_COLOR: "1",
    },
  });
  const [output, errors, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "exit")]);
  return { passed: code === 0, output: output + errors };
}
