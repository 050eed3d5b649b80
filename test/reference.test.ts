import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { it } from "node:test";
import { referencePages } from "../scripts/reference.ts";

for (const [file, text] of referencePages()) {
  it(`${file} says what the program does`, () => {
    const kept = readFileSync(path.resolve(import.meta.dirname, "..", file), "utf8");
    assert.equal(kept, text, "out of date: run `node scripts/reference.ts`");
  });
}
