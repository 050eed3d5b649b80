import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";

const root = path.resolve(import.meta.dirname, "..");
const ID = /\b(?:1939|2449|6856|3206|TLS|SASL|SCRAM|OAUTH)-\d\d\b/g;

type Rule = { readonly id: string; readonly excuse: string | undefined };

const rules: readonly Rule[] = readText("test/rules/ids.txt")
  .split("\n")
  .filter((line) => line !== "" && !line.startsWith("#"))
  .map((line) => {
    const [rule = "", excuse] = line.split(" | excused: ");
    return { id: rule.slice(0, rule.indexOf(" ")), excuse };
  });

// A comment of a transcript; the name of a test.
const COMMENT = /^#.*$/gm;
const TEST_NAME = /\b(?:test|it|describe|suite)\(\s*(["'`])(?:(?!\1)[^])*\1/g;

/** Where each id is named. */
const named = new Map<string, string[]>();
for (const file of globSync(["src/**/transcripts/*.txt", "{src,test}/**/*.test.ts"], { cwd: root })) {
  if (file === path.join("test", "rules.test.ts")) continue;
  const ids = [...readText(file).matchAll(file.endsWith(".txt") ? COMMENT : TEST_NAME)].flatMap(
    ([text]) => text.match(ID) ?? [],
  );
  for (const id of new Set(ids)) named.set(id, [...(named.get(id) ?? []), file]);
}

test("every rule of POP3 is named by a transcript or a test, or is excused in writing", () => {
  const silent = rules.filter(({ id, excuse }) => !named.has(id) && excuse === undefined).map(({ id }) => id);
  assert.deepEqual(silent, []);
  assert.ok(rules.length > 50 && new Set(rules.map(({ id }) => id)).size === rules.length);
});

test("no rule is excused that a test shows, and none without a reason", () => {
  const odd = rules.filter(({ id, excuse }) => excuse !== undefined && (named.has(id) || excuse.length < 20));
  assert.deepEqual(odd, []);
});

test("no test names a rule that is not in the list", () => {
  const known = new Set(rules.map(({ id }) => id));
  const unknown = [...named].filter(([id]) => !known.has(id));
  assert.deepEqual(unknown, []);
});

function readText(file: string): string {
  return readFileSync(path.join(root, file), "utf8");
}
