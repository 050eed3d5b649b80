import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { text } from "node:stream/consumers";
import { after, before, it } from "node:test";

const main = path.resolve(import.meta.dirname, "../main.ts");

let folder = "";
before(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), "mailkeep-main-"));
});
after(() => rmSync(folder, { recursive: true, force: true }));

async function mailkeep(...words: readonly string[]) {
  const child = spawn(process.execPath, [main, ...words], {
    cwd: folder,
    env: { PATH: process.env["PATH"] ?? "" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "exit")]);
  return { code: code as unknown, out, err };
}

it("a command that is done exits with 0", async () => {
  const { code, out, err } = await mailkeep("domain", "add", "a.example", "--json");
  assert.deepEqual([code, JSON.parse(out), err], [0, { domain: "a.example" }, ""]);
});

it("a command that fails exits with 1 and one line", async () => {
  writeFileSync(path.join(folder, "wrong.yaml"), "- no map\n");
  assert.deepEqual(await mailkeep("domain", "remove", "b.example"), {
    code: 1,
    out: "",
    err: "mailkeep: there is no domain b.example here; add it first: mailkeep domain add b.example\n",
  });
  assert.equal((await mailkeep("serve", "--config", "wrong.yaml")).code, 1);
});

it("a command line that makes no sense exits with 2", async () => {
  assert.equal((await mailkeep("domain", "ad", "b.example")).code, 2);
});

it("whoever reads the output may stop early", async () => {
  const child = spawn(process.execPath, [main, "config", "schema"], {
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe"],
  });
  child.stdout.destroy();
  const [err, [code]] = await Promise.all([text(child.stderr), once(child, "exit")]);
  assert.deepEqual([code as unknown, err], [0, ""]);
});
