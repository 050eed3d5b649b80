import assert from "node:assert/strict";
import { test } from "node:test";
import { importsOf, linesMatching } from "./architecture-scan.ts";
import type { SourceFile } from "./architecture-scan.ts";

const found: readonly (readonly [text: string, line: number, target: string])[] = [
  [`import { a } from "./a.ts";`, 1, "src/pop3/a.ts"],
  [`import type { A } from "../model/a.ts";`, 1, "src/model/a.ts"],
  [`import {\n  a,\n  b,\n} from "../lib/a.ts";`, 4, "src/lib/a.ts"],
  [`import {\n  a, // it's "a"\n  b,\n} from "../lib/a.ts";`, 4, "src/lib/a.ts"],
  [`import type * as a from "../lib/a.ts";`, 1, "src/lib/a.ts"],
  [`import a, { type B } from "yaml";`, 1, "yaml"],
  [`export type { A } from "./a.ts";`, 1, "src/pop3/a.ts"],
  [`import * as a from 'kysely';`, 1, "kysely"],
  [`import fs from "fs";`, 1, "node:fs"],
  [`\nimport "reflect-metadata";`, 2, "reflect-metadata"],
  [`export { a } from "./a.ts";`, 1, "src/pop3/a.ts"],
  [`export * from "./a.ts";`, 1, "src/pop3/a.ts"],
  [`const a = await import("./a.ts");`, 1, "src/pop3/a.ts"],
  [`type A = import("./a.ts").A;`, 1, "src/pop3/a.ts"],
  [`new Worker(new URL("./thread.ts", import.meta.url));`, 1, "src/pop3/thread.ts"],
  [`export const a = 1;\nimport { b } from "./b.ts";`, 2, "src/pop3/b.ts"],
];

for (const [text, line, target] of found) {
  test(`the scanner finds ${JSON.stringify(text)}`, () => {
    assert.deepEqual(importsOf(source(text)), [{ file: "src/pop3/x.ts", line, target }]);
  });
}

for (const text of [`// import { a } from "./a.ts";`, ` * import("./a.ts")`, `const a = "from";`]) {
  test(`the scanner passes over ${JSON.stringify(text)}`, () => {
    assert.deepEqual(importsOf(source(text)), []);
  });
}

test("a line is named with its number, and a comment is no match", () => {
  const file = source(`const url = "http://x"; read(process.env);\n// process.env\nread(); // not process.env`);
  assert.deepEqual(linesMatching(file, /process\.env/), [`src/pop3/x.ts:1: ${file.lines[0]}`]);
});

function source(text: string): SourceFile {
  return { path: "src/pop3/x.ts", text, lines: text.split("\n") };
}
