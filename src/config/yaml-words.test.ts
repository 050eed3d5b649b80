import assert from "node:assert/strict";
import { it } from "node:test";
import { readDocument } from "./document.ts";

const mistakes = [
  "a: b: c",
  "a:\n\tb: 1",
  "a: [1, 2",
  'a: "x',
  'a: "\\q"',
  "a: @x",
  "a: !tag x",
  "a: 1\n---\nb: 1",
  "a: {b: 1}}",
  "a:\n  b: 1\n c: 1",
  "a\nb: 1",
  "%FOO\n%YAML 9\na: 1",
];

for (const text of mistakes) {
  it(`is told in either language: ${JSON.stringify(text)}`, () => {
    const [problem] = readDocument(text, () => ({ kind: "default" })).problems;
    assert.ok(problem, "taken without complaint");
    assert.match(problem.reason.en, /^(?:not right as YAML: |a second document)/);
    assert.match(problem.reason.zh, /\p{Script=Han}/u);
    // Of English only the name of the format and what stands in the text itself.
    assert.doesNotMatch(problem.reason.zh.replace(/^YAML /, ""), /[a-z]{3}/i);
  });
}
