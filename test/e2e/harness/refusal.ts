import assert from "node:assert/strict";
import type { Installation } from "./installation.ts";

const stackTrace = /^\s+at .+:\d+:\d+\)?$/m;

/** Starts the server where it must refuse to start, in words and without a stack trace; gives the words. */
export async function refusedStart(installation: Installation): Promise<string> {
  const end = await installation.cli(["serve"], { seconds: 25 });
  assert.equal(end.code ?? end.signal, 1, `a start that is refused ends with 1\n${end.text}${end.stderr}`);
  assert.notEqual(end.stderr.trim(), "", "it says why on stderr");
  assert.doesNotMatch(end.stderr + end.text, stackTrace, "words for an operator, no stack trace");
  assert.doesNotMatch(end.text, /server\.ready/, "it never was ready");
  return end.stderr;
}
