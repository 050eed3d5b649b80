import { readdirSync, readFileSync } from "node:fs";
import { parseTranscript } from "../../../src/pop3/testing/transcript.ts";
import { World, type Given } from "../../../src/pop3/testing/world.ts";
import { Random } from "../../e2e/harness/random.ts";
import { readDialogue, smallerDialogues, writeAct, writeDialogue, type Dialogue } from "../dialogue.ts";
import { mutateDialogue } from "../mutate-dialogue.ts";
import { cutOctets } from "../mutate-octets.ts";
import { writeOctets } from "../octet-text.ts";
import { clientLines } from "../rules/client-lines.ts";
import { houseOf } from "../rules/house.ts";
import { Judge } from "../rules/judge.ts";
import { Replies } from "../rules/replies.ts";
import { hold, show, type Target } from "../target.ts";

const transcripts = new URL("../../../src/pop3/engine/transcripts/", import.meta.url);

/** The client's sides of all transcripts of POP3. */
export function transcriptDialogues(): Dialogue[] {
  const names = readdirSync(transcripts).filter((name) => name.endsWith(".txt"));
  return names.map((name) => readDialogue(readFileSync(new URL(name, transcripts), "utf8")));
}

/** The engine, with everything behind it in memory. */
export const pop3: Target<Dialogue> = {
  name: "pop3",
  read: readDialogue,
  write: writeDialogue,
  seeds: transcriptDialogues,
  mutate: mutateDialogue,
  smaller: smallerDialogues,
  attempt,
  story,
};

function attempt(dialogue: Dialogue): readonly string[] {
  const { acts } = dialogue;
  const world = play(dialogue, acts);
  const judge = new Judge(houseOf(givenOf(dialogue)), new Replies(world.said));
  const upgrades: number[] = [];
  for (const line of clientLines(acts)) {
    const { secure } = judge;
    judge.take(line);
    if (judge.secure !== secure) upgrades.push(line.end);
  }
  hold(
    world.closed === (judge.phase === "over"),
    "1939-03, 1939-16",
    () => `the connection is ${world.closed ? "closed" : "open"}`,
  );
  hold((world.attack !== undefined) === judge.attack, "TLS-02", () => `an attack: ${world.attack ?? "none"}`);
  const removed = (world.removed ?? []).join();
  hold(removed === (judge.removed ?? []).join(), "1939-16, 1939-17", () => `removed: ${removed}`);
  if (!judge.attack) sameInPieces(dialogue, world, upgrades);
  return pairs(judge.seen);
}

/** Whatever comes at once, the server says the same (rule 2449-05); but nothing may come right behind STLS. */
function sameInPieces(dialogue: Dialogue, whole: World, upgrades: readonly number[]): void {
  const octets = dialogue.acts.join("");
  const random = new Random(octets.length);
  const stretches = [0, ...upgrades].map((from, at) => octets.slice(from, upgrades[at]));
  const pieces = octets.length % 3 === 0 ? stretches : stretches.flatMap((each) => cutOctets(each, random));
  const world = play(dialogue, pieces);
  hold(world.said === whole.said, "2449-05", () => `cut otherwise it says ${difference(world.said, whole.said)}`);
  hold(world.closed === whole.closed, "2449-05", () => "cut otherwise it ends otherwise");
  hold(String(world.removed) === String(whole.removed), "2449-05", () => "cut otherwise it removes something else");
}

function play(dialogue: Dialogue, pieces: readonly string[]): World {
  const world = new World(givenOf(dialogue));
  for (const piece of pieces) world.hear(piece);
  hold(world.given.messages.length === givenOf(dialogue).messages.length, "1939-17", () => "the maildrop has changed");
  return world;
}

function givenOf({ givens }: Dialogue): Given {
  return parseTranscript(givens.join("\n")).given();
}

function difference(one: string, other: string): string {
  let at = 0;
  while (at < one.length && one[at] === other[at]) at += 1;
  return `${show(one.slice(at), 80)} and not ${show(other.slice(at), 80)}`;
}

// What followed on what tells more than what was seen at all.
function pairs(seen: readonly string[]): string[] {
  return seen.flatMap((each, at) => [each, `${seen[at - 1] ?? ""} > ${each}`]);
}

/** A dialogue as a transcript, with what the engine says now: which is what has to be changed in it. */
function story(dialogue: Dialogue): string {
  const lines = ["# rule-id what is tried", ...dialogue.givens];
  const world = new World(givenOf(dialogue));
  let at = 0;
  const said = () => {
    for (let end = world.said.indexOf("\r\n", at); end >= 0; end = world.said.indexOf("\r\n", at)) {
      lines.push(`S: ${writeOctets(world.said.slice(at, end))}`);
      at = end + 2;
    }
  };
  said();
  for (const act of dialogue.acts) {
    lines.push(writeAct(act));
    try {
      world.hear(act);
    } catch (cause) {
      lines.push(`# here it throws: ${String(cause)}`);
    }
    said();
  }
  if (world.closed) lines.push(world.attack === undefined ? "closed" : `closed attack ${world.attack}`);
  if (world.removed !== undefined) lines.push(`removed ${world.removed.join(",")}`);
  return `${lines.join("\n")}\n`;
}
