import { globSync, readFileSync } from "node:fs";
import path from "node:path";

const root = path.resolve(import.meta.dirname, "..");
const ID = /\bP\d+\b/g;
// The name of a test or of a suite; the title of a transcript.
const TEST_NAME = /\b(?:test|it|describe|suite)\(\s*(["'`])(?:(?!\1)[^])*\1/g;
const TITLE = /^#.*$/m;

/** What the design promises. */
export type PromiseOfOurs = { readonly id: string; readonly sentence: string; readonly zh: string };

/** The promises, in order. */
export function readPromises(): readonly PromiseOfOurs[] {
  const lines = readText("test/rules/promises.txt").split("\n");
  return lines
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => {
      const [sentence = "", zh = ""] = line.slice(line.indexOf(" ") + 1).split(" | ");
      return { id: line.slice(0, line.indexOf(" ")), sentence, zh };
    });
}

/** The files whose tests name a promise, one entry for each name; those of `npm run e2e` are not among them. */
export function filesByPromise(): ReadonlyMap<string, readonly string[]> {
  const named = new Map<string, string[]>();
  const files = globSync(["src/**/transcripts/*.txt", "{src,test}/**/*.ts"], { cwd: root, exclude: ["test/e2e/**"] });
  for (const file of files) {
    const text = readText(file);
    const names = file.endsWith(".txt")
      ? [TITLE.exec(text)?.[0] ?? ""]
      : [...text.matchAll(TEST_NAME)].map(([name]) => name);
    for (const name of names) {
      for (const id of new Set(name.match(ID))) named.set(id, [...(named.get(id) ?? []), file]);
    }
  }
  return named;
}

function readText(file: string): string {
  return readFileSync(path.join(root, file), "utf8");
}
