import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { commands } from "./engine/commands.ts";
import { parseTranscript, play } from "./testing/transcript.ts";

const folder = new URL("engine/transcripts/", import.meta.url);
const names = readdirSync(folder).filter((name) => name.endsWith(".txt"));
const sources = new Map(names.map((name) => [name, readFileSync(new URL(name, folder), "utf8")]));

for (const [name, source] of sources) {
  const transcript = parseTranscript(source);
  const manners = transcript.wholeOnly ? (["whole"] as const) : (["whole", "octets", "pipelined"] as const);
  for (const manner of manners)
    test(`${name.replace(".txt", "")}, ${manner}: ${transcript.title}`, () => play(transcript, manner));
}

test("every command stands in a transcript", () => {
  const all = [...sources.values()].join("\n");
  for (const name of commands.keys()) assert.match(all, new RegExp(`^C: ${name}\\b`, "m"));
});
