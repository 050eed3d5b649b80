import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";

const observe = new URL("observe.ts", import.meta.url).href;

/** 100,000 warnings, far more than a pipe takes, then an orderly end. */
const writer = `
  const { createObserve } = await import(${JSON.stringify(observe)});
  const { log, render } = createObserve({ level: "info", format: "json", slots: 1, version: "1.0.0" });
  for (let n = 0; n < 100000; n += 1) log.warn("job.failed", { job: "job", reason: "x".repeat(200) });
  setTimeout(() => {
    process.stderr.write(/^mailkeep_log_lines_dropped_total [1-9]/m.test(render()) ? "dropped\\n" : "nothing dropped\\n");
    process.exit(0);
  }, 50);
`;

test("a reader that stops reading costs log lines, never the server or its exit", { timeout: 30_000 }, async (t) => {
  const command = `{ "$0" --input-type=module -e "$1"; echo "ended $?" >&2; } | "$0" -e "setInterval(() => {}, 1000)"`;
  const shell = spawn("sh", ["-c", command, process.execPath, writer], {
    detached: true,
    stdio: ["ignore", "ignore", "pipe"],
  });
  // The shell and what it started are a process group of their own.
  t.after(() => process.kill(-(shell.pid ?? 0), "SIGKILL"));
  let said = "";
  for await (const piece of shell.stderr) {
    said += String(piece);
    if (said.includes("ended")) break;
  }
  assert.equal(said, "dropped\nended 0\n");
});

test("a reader that is gone is nobody's error", { timeout: 30_000 }, async () => {
  const command = `{ "$0" --input-type=module -e "$1"; echo "ended $?" >&2; } | true`;
  const shell = spawn("sh", ["-c", command, process.execPath, writer], { stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  shell.stderr.on("data", (piece: Buffer) => {
    said += piece.toString();
  });
  await once(shell, "close");
  assert.match(said, /ended 0\n$/);
});
