import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { capabilities } from "./engine/capabilities.ts";
import { commands } from "./engine/commands.ts";
import { parseTranscript, play, type Transcript } from "./testing/transcript.ts";

const folder = new URL("engine/transcripts/", import.meta.url);
const names = readdirSync(folder).filter((name) => name.endsWith(".txt"));
const sources = new Map(names.map((name) => [name, readFileSync(new URL(name, folder), "utf8")]));
const transcripts = new Map([...sources].map(([name, source]) => [name, parseTranscript(source)]));

for (const [name, transcript] of transcripts) {
  const manners = transcript.wholeOnly ? (["whole"] as const) : (["whole", "octets", "pipelined"] as const);
  for (const manner of manners)
    test(`${name.replace(".txt", "")}, ${manner}: ${transcript.title}`, () => play(transcript, manner));
}

test("only what is about the moment when octets come is not cut and pipelined", () => {
  const wholeOnly = [...transcripts].filter(([, transcript]) => transcript.wholeOnly).map(([name]) => name);
  assert.deepEqual(wholeOnly, ["stls-injection-half-a-line.txt", "stls-injection.txt"]);
});

test("every command and every capability stands in a transcript", () => {
  const all = [...sources.values()].join("\n");
  for (const name of commands.keys()) assert.match(all, new RegExp(`^C: ${name}\\b`, "m"));
  for (const { name } of capabilities) assert.match(all, new RegExp(`^S: ${name}\\b`, "m"));
});

test("2449-06 a command's row names the response codes that its transcripts show, and no other", () => {
  const shown = new Map([...commands.keys()].map((name) => [name, new Set<string>()]));
  for (const transcript of transcripts.values())
    for (const [command, code] of codesOf(transcript)) shown.get(command)?.add(code);
  for (const [name, { codes }] of commands)
    assert.deepEqual([...(shown.get(name) ?? [])].toSorted(), codes.toSorted(), name);
});

/** Each response code with the command that it answered; a line of a SASL exchange belongs to its AUTH. */
function codesOf({ acts }: Transcript): (readonly [command: string, code: string])[] {
  const found: (readonly [string, string])[] = [];
  let command = "";
  let inExchange = false;
  for (const act of acts) {
    if (act.kind === "client" && !inExchange) command = /^[a-z0-9]*/i.exec(act.octets)?.[0].toUpperCase() ?? "";
    if (act.kind !== "server") continue;
    inExchange = act.line.startsWith("+ ");
    const code = /^-ERR \[([^\]]+)\]/.exec(act.line)?.[1];
    if (code !== undefined) found.push([command, code]);
  }
  return found;
}
