import assert from "node:assert/strict";
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { loadConfig } from "../src/config/load.ts";

const root = path.resolve(import.meta.dirname, "..");
const documents = globSync(["*.md", "docs/**/*.md"], { cwd: root });

test("every link of a document leads to a file", () => {
  const broken = documents.flatMap((document) => {
    const targets = [...readText(document).matchAll(/\]\(([^)#:\s]+)(?:#[^)]*)?\)/g)].map((match) => match[1] ?? "");
    const missing = targets.filter((target) => !existsSync(path.resolve(root, path.dirname(document), target)));
    return missing.map((target) => `${document}: ${target}`);
  });
  assert.deepEqual(broken, []);
  assert.ok(documents.length > 10);
});

test("every file and folder that ARCHITECTURE.md names is there", () => {
  // `a/b.ts` and `a/` count from src/ or from the project; in the table of folders a bare `b.ts` lies in the row's folder.
  const missing: string[] = [];
  let named = 0;
  for (const line of readText("ARCHITECTURE.md").split("\n")) {
    const names = [...line.matchAll(/`([\w./-]+(?:\.ts|\/))`/g)].map((match) => match[1] ?? "");
    named += names.length;
    const folders = ["src", ".", ...names.filter((name) => name.endsWith("/")).map((name) => `src/${name}`)];
    missing.push(...names.filter((name) => !folders.some((folder) => existsSync(path.join(root, folder, name)))));
  }
  assert.deepEqual(missing, []);
  assert.ok(named > 80, `only ${named} names were found`);
});

test("the two READMEs show the same commands and the same configuration", () => {
  const blocks = (file: string): string[] =>
    [...readText(file).matchAll(/```(?:sh|yaml)\n([^]*?)```/g)].map((match) => match[1] ?? "");
  assert.deepEqual(blocks("README.zh-CN.md"), blocks("README.md"));
  assert.ok(blocks("README.md").length >= 4);
});

test("the configuration that the READMEs show is right", (t) => {
  const [, yaml = ""] = /```yaml\n([^]*?)```/.exec(readText("README.md")) ?? [];
  const folder = mkdtempSync(path.join(tmpdir(), "mailkeep-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = path.join(folder, "mailkeep.yaml");
  writeFileSync(file, yaml);
  const loaded = loadConfig({ file, environment: {} });
  assert.ok(loaded.ok, JSON.stringify(loaded));
  assert.equal(loaded.value.config.server.hostname, "mail.example.com");
});

function readText(file: string): string {
  return readFileSync(path.join(root, file), "utf8");
}
