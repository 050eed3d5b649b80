import assert from "node:assert/strict";
import { test } from "node:test";
import { importsOf, linesMatching, readSources } from "./architecture-scan.ts";
import type { Import } from "./architecture-scan.ts";

// Imports point down: a folder may import itself and what stands in its row, types included. What is not there it must
// be given, by a port in its own `ports.ts`. An engine has a row of its own; a row speaks for the folders below it.
const mayImport: Readonly<Record<string, Row>> = {
  lib: only(),
  model: only("lib"),
  config: only("lib", "model"),
  observe: only("lib", "model"),
  store: only("lib", "model", "observe"),
  net: only("lib", "model", "observe"),
  tls: only("lib", "model", "observe"),
  "auth/engine": only("lib", "model"),
  auth: only("lib", "model", "observe", "store", "auth/engine"),
  mailbox: only("lib", "model", "observe", "store"),
  "pop3/engine": only("lib", "model", "auth/engine"),
  pop3: only("lib", "model", "observe", "net", "auth/engine", "pop3/engine"),
  "smtp/engine": only("lib", "model", "auth/engine"),
  smtp: only("lib", "model", "observe", "net", "auth/engine", "smtp/engine"),
  intake: only("lib", "model", "observe", "mailbox", "store", "smtp"),
  admin: only("lib", "model", "observe", "store", "auth", "mailbox"),
  app: allBut("cli", "main.ts"),
  cli: allBut("main.ts"),
  "main.ts": only("cli"),
};

const longestFileLines = 400;
const folderNamesThatSayNothing = ["common", "core", "utils", "shared", "helpers"];
// Engines work on octets, and Buffer is how Node spells some of that. Everything else of Node's is the outside world.
const modulesOfEngines = ["node:buffer"];
const fileSystem = ["node:fs", "node:fs/promises"];
const readersOfTheEnvironment = ["src/config/load.ts", "src/cli/", "src/app/"];
// Node asks a module that it loads as a test reporter for its default export.
const defaultExportsAskedFor = ["scripts/test-reporter.ts"];

type Row = Readonly<{ allows: (folder: string) => boolean; text: string }>;

const sources = readSources(["src", "test", "bench", "scripts", "bin"]);
const ours = sources.filter((file) => file.path.startsWith("src/"));
const imports = ours.flatMap(importsOf);

test("the scanner sees the imports of src", () => {
  // A scanner that reads nothing finds nothing wrong.
  assert.ok(imports.length > 0, `no import found in ${ours.length} files under src`);
});

test("every folder under src has a row in the import table", () => {
  const missing = ours.map((file) => file.path).filter((path) => rowName(path) === undefined);
  const engines = ours.flatMap((file) => /^src\/(.*\/engine)\//.exec(file.path)?.[1] ?? []);
  const withoutOwnRow = engines.filter((folder) => !Object.hasOwn(mayImport, folder));
  report([...missing, ...new Set(withoutOwnRow)], "add a row to mayImport in test/architecture.test.ts");
});

test("imports point down", () => {
  report(
    imports.flatMap((found) => wrongDirection(found) ?? []),
    "pass the thing in instead: a port in the needing folder's ports.ts, wired in app/build.ts",
  );
});

test("engines import nothing of Node's but buffers", () => {
  const wrong = imports.filter(
    ({ file, target }) =>
      file.includes("/engine/") && !isTest(file) && target.startsWith("node:") && !modulesOfEngines.includes(target),
  );
  report(wrong.map(describe), "an engine is data and functions: no I/O, clock, randomness, promise or log");
});

test("under src/store only disk.ts touches the file system", () => {
  const wrong = imports.filter(
    ({ file, target }) =>
      file.startsWith("src/store/") && file !== "src/store/disk.ts" && !isTest(file) && fileSystem.includes(target),
  );
  report(wrong.map(describe), "use store/disk.ts, so that faults can be injected in one place");
});

test("only the configuration reads the environment", () => {
  const others = ours.filter((file) => !readersOfTheEnvironment.some((reader) => file.path.startsWith(reader)));
  const wrong = others.flatMap((file) => linesMatching(file, /\bprocess\s*\.\s*env\b|["'](?:node:)?process["']/));
  report(wrong, "take the value as an argument; config/load.ts is what reads it");
});

test(`no file is longer than ${longestFileLines} lines`, () => {
  const wrong = sources.filter((file) => file.lines.length > longestFileLines);
  report(
    wrong.map((file) => `${file.path}:${longestFileLines + 1}: the file has ${file.lines.length} lines`),
    "split it where it does two things",
  );
});

test("folders are named after what is in them", () => {
  const wrong = sources.filter((file) => file.path.split("/").some((part) => folderNamesThatSayNothing.includes(part)));
  report(
    wrong.map((file) => file.path),
    `no folder is named ${folderNamesThatSayNothing.join(", ")}`,
  );
});

test("a thing is imported by its name from the file that has its name", () => {
  const barrels = sources.filter((file) => /\/index\.\w+$/.test(file.path)).map((file) => file.path);
  const defaults = sources
    .filter((file) => !defaultExportsAskedFor.includes(file.path))
    .flatMap((file) => linesMatching(file, /^\s*export\s+default\b|^\s*export\s*\{[^}]*\bas\s+default\b/));
  report([...barrels, ...defaults], "no index files, no default exports");
});

function only(...folders: readonly string[]): Row {
  return { allows: (folder) => folders.includes(folder), text: folders.length > 0 ? folders.join(", ") : "nothing" };
}

function allBut(...folders: readonly string[]): Row {
  return { allows: (folder) => !folders.includes(folder), text: `anything but ${folders.join(", ")}` };
}

/** The row that speaks for a file: the one with the longest name that the path begins with. */
function rowName(path: string): string | undefined {
  const inside = path.replace(/^src\//, "");
  const names = Object.keys(mayImport).filter((name) => inside === name || inside.startsWith(`${name}/`));
  return names.toSorted((a, b) => b.length - a.length)[0];
}

function wrongDirection(found: Import): string | undefined {
  const from = rowName(found.file);
  // A package or a module of Node's. What is ours is imported by a relative path.
  if (from === undefined || !/^(?:src|test|bench|scripts|bin|\.\.)\//.test(found.target)) return undefined;
  const to = found.target.startsWith("src/") ? rowName(found.target) : undefined;
  const row = mayImport[from];
  if (to !== undefined && (to === from || row?.allows(to) === true)) return undefined;
  return `${describe(found)}; ${from} may import ${row?.text ?? "nothing"}`;
}

function describe({ file, line, target }: Import): string {
  return `${file}:${line}: imports ${target}`;
}

function isTest(path: string): boolean {
  return path.endsWith(".test.ts");
}

function report(wrong: readonly string[], advice: string): void {
  assert.ok(wrong.length === 0, `${advice}\n  ${wrong.join("\n  ")}`);
}
