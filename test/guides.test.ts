import assert from "node:assert/strict";
import { globSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { SECRET_KEY_FILE } from "../src/auth/secret-key.ts";
import { commands, type Command } from "../src/cli/commands.ts";
import { loadConfig } from "../src/config/load.ts";
import { options, sections } from "../src/config/options.ts";
import { events } from "../src/observe/events.ts";
import { metricRows } from "../src/observe/metrics-table.ts";
import { en as replies } from "../src/pop3/engine/texts/en.ts";
import { POP3_BUSY_LINE } from "../src/pop3/server.ts";

/*
 * The guides name commands, keys, events and replies by hand: what they say must be what is there. Links are looked at in
 * documents.test.ts.
 */

const folder = path.resolve(import.meta.dirname, "../docs/guide");
const english = globSync("*.md", { cwd: folder }).filter((name) => !name.endsWith(".zh-CN.md"));
const guides = english.flatMap((name) => [name, chinese(name)]).map((name) => ({ name, text: read(name) }));
const configurationKeys = new Map(options.map(({ path: keys, fallback }) => [keyOf(keys), fallback]));

test("each guide is there in both languages, with the same headings, examples and tables", () => {
  assert.deepEqual(globSync("*.md", { cwd: folder }).toSorted(), guides.map(({ name }) => name).toSorted());
  assert.ok(english.length >= 5);
  for (const name of english) {
    const [one, other] = [read(name), read(chinese(name))];
    assert.ok(one.includes(`[简体中文](${chinese(name)})`), name);
    assert.ok(other.includes(`[English](${name})`), chinese(name));
    assert.deepEqual(shape(other), shape(one), name);
    assert.deepEqual(keysOfTables(other), keysOfTables(one), name);
  }
});

test("a guide names commands and options that there are", () => {
  const found = guides.flatMap(({ name, text }) => codeOf(text).flatMap((code) => wrongCommands(name, code)));
  assert.deepEqual(found, []);
});

test("a guide names configuration keys, events and metrics that there are", () => {
  const groups = new Set([
    ...sections.map(({ name }) => name),
    ...Object.keys(events).map((name) => name.split(".")[0]),
  ]);
  const names = new Set([
    SECRET_KEY_FILE,
    ...configurationKeys.keys(),
    ...Object.keys(events),
    ...Object.keys(metricRows),
  ]);
  const unknown = guides.flatMap(({ name, text }) =>
    spansOf(text)
      .flatMap((span) => /^([a-z_[\]]+(?:\.[a-z_[\]]+)+|mailkeep_\w+)(?:: .*)?$/.exec(span)?.[1] ?? [])
      .filter((word) => groups.has(word.split(/[.[]/)[0] ?? "") || word.startsWith("mailkeep_"))
      .filter((word) => !names.has(word) && !word.endsWith(".com"))
      .map((word) => `${name}: ${word}`),
  );
  assert.deepEqual(unknown, []);
});

test("a guide tells the defaults that hold", () => {
  const wrong = guides.flatMap(({ name, text }) =>
    [...text.matchAll(/^\| `([^`]+)` \| ([^|]*) \|/gm)].flatMap(([, key = "", told = ""]) => {
      const fallback = configurationKeys.get(key);
      return fallback === undefined || told === `\`${fallback}\``
        ? []
        : [`${name}: ${key} is ${fallback}, not ${told}`];
    }),
  );
  assert.deepEqual(wrong, []);
});

test("a guide quotes replies of POP3 as they are", () => {
  const texts = [...Object.values(replies), POP3_BUSY_LINE.replace("-ERR [SYS/TEMP] ", "").trim()];
  const said = guides.flatMap(({ text }) =>
    spansOf(text).flatMap((span) => /^(?:-ERR )?\[[A-Z/-]+\] (.+)$/.exec(span)?.[1] ?? []),
  );
  assert.ok(said.length > 10);
  assert.deepEqual(
    said.filter((one) => !texts.some((text) => text.startsWith(one))),
    [],
  );
});

test("the configuration that a guide shows is right", (t) => {
  const scratch = mkdtempSync(path.join(tmpdir(), "mailkeep-"));
  t.after(() => rmSync(scratch, { recursive: true }));
  const file = path.join(scratch, "mailkeep.yaml");
  const shown = guides.flatMap(({ text }) => [...text.matchAll(/```yaml\n([^]*?)```/g)].map(([, yaml = ""]) => yaml));
  assert.ok(shown.length > 0);
  for (const yaml of shown) {
    writeFileSync(file, yaml);
    const loaded = loadConfig({ file, environment: {} });
    assert.ok(loaded.ok, JSON.stringify(loaded));
  }
});

test("links within the guides lead to a heading", () => {
  const broken = guides.flatMap(({ name, text }) =>
    [...text.matchAll(/\]\(([^)#\s]*)#([^)]+)\)/g)]
      .filter(([, file = "", anchor = ""]) => !anchorsOf(read(file === "" ? name : file)).includes(anchor))
      .map(([whole]) => `${name}: ${whole}`),
  );
  assert.deepEqual(broken, []);
});

test("each picture is small, shown, and there in both languages", () => {
  const [first, second] = ["en", "zh-CN"].map((language) =>
    globSync(`pictures/${language}/*.png`, { cwd: folder }).toSorted(),
  );
  assert.ok(first && second && first.length > 0);
  assert.deepEqual(
    second.map((picture) => path.basename(picture)),
    first.map((picture) => path.basename(picture)),
  );
  for (const picture of [...first, ...second]) {
    const shown = guides.some(({ name, text }) => {
      return name.endsWith(".zh-CN.md") === picture.includes("zh-CN") && text.includes(`](${picture})`);
    });
    assert.ok(shown, `${picture} is shown in no guide`);
    assert.ok(statSync(path.join(folder, picture)).size <= 200 * 1024, `${picture} is too large`);
  }
});

function chinese(name: string): string {
  return name.replace(".md", ".zh-CN.md");
}

function read(name: string): string {
  return readFileSync(path.join(folder, name), "utf8");
}

function keyOf(keys: readonly string[]): string {
  return keys.join(".").replace(".*", "[]");
}

/** The levels of headings, and the kinds of blocks, tables and pictures, in their order. */
function shape(text: string): readonly string[] {
  return [...text.matchAll(/^(#+) |^```(\w+)$|^(\|---)|^ *(!\[)/gm)].map(([whole]) => whole.trim());
}

function keysOfTables(text: string): readonly string[] {
  return [...text.matchAll(/^\| (`[^`]+`) \|/gm)]
    .map(([, key = ""]) => key)
    .filter((key) => /^`[\w.[\]-]+`$/.test(key));
}

function spansOf(text: string): readonly string[] {
  return [...text.replaceAll(/^```[^]*?^```$/gm, "").matchAll(/`([^`\n]+)`/g)].map(([, span = ""]) => span);
}

/** Code of the text: spans, and lines of blocks. */
function codeOf(text: string): readonly string[] {
  const blocks = [...text.matchAll(/^```text\n([^]*?)^```$/gm)].flatMap(([, block = ""]) => block.split("\n"));
  return [...spansOf(text), ...blocks];
}

const GLOBAL = ["--config", "--json", "--help", "--version"];

function wrongCommands(name: string, code: string): readonly string[] {
  const typed = [...code.matchAll(/(?<![\w/])mailkeep ([a-z][^;,、]*)/g)].map(([, words = ""]) => words.split(/\s+/));
  // An option by itself, in a table of them.
  if (typed.length === 0) return optionsIn([code], commands).map((option) => `${name}: ${option}`);
  return typed.flatMap((words) => {
    const command = commands.find(({ path: own }) => own.every((word, index) => word === words[index]));
    if (command === undefined) return [`${name}: mailkeep ${words.join(" ")}`];
    return optionsIn(words, [command]).map((option) => `${name}: ${option} of mailkeep ${command.path.join(" ")}`);
  });
}

/** The options among the words that none of the commands has. Those of other programs stand behind their names. */
function optionsIn(words: readonly string[], of: readonly Command[]): readonly string[] {
  const known = of.flatMap(({ options: own = [] }) => own.map(({ flags }) => flags.split(" ")[0]));
  const given = words.filter((word) => /^--[a-z]/.test(word)).map((word) => word.split(/[ =]/)[0] ?? "");
  return given.filter((option) => !known.includes(option) && !GLOBAL.includes(option) && option !== "--cacert");
}

function anchorsOf(text: string): readonly string[] {
  const titles = [...text.replaceAll(/^```[^]*?^```$/gm, "").matchAll(/^#+ (.*)$/gm)].map(([, title = ""]) => title);
  return titles.map((title) =>
    title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
      .replaceAll(" ", "-"),
  );
}
