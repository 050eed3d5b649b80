import type { Random } from "../e2e/harness/random.ts";
import { writeMessage, type Dialogue } from "./dialogue.ts";
import { anyOctet, mutateOctets } from "./mutate-octets.ts";
import { base64, COMMANDS, GIVENS, MESSAGES, NUMBERS, SASL_WORDS } from "./words.ts";

const MOST_ACTS = 60;
const MOST_GIVENS = 14;
// A line may have 32 KiB while an exchange is under way, and 255 octets else.
const FLOODS = [10, 200, 245, 248, 249, 250, 251, 252, 253, 254, 255, 256, 300, 512, 600, 1024];
const GREAT_FLOODS = [4096, 16_000, 16_400, 32_760, 32_766, 32_768, 40_000];
const MOST_OCTETS = 100_000;
const TOKEN = /[A-Za-z0-9+/]{4,}={0,2}/g;

type Change = (dialogue: Dialogue, other: Dialogue, random: Random) => Dialogue;

/** Changes a dialogue in one to a few places, as somebody who knows the grammar and does not keep it. */
export function mutateDialogue(dialogue: Dialogue, other: Dialogue, random: Random): Dialogue {
  let changed = dialogue;
  for (let left = random.pick([1, 1, 1, 2, 2, 3, 5, 8]); left > 0; left -= 1)
    changed = random.pick(changes)(changed, other, random);
  let left = MOST_OCTETS;
  const acts = changed.acts.slice(0, MOST_ACTS).filter(({ length }) => (left -= length) > 0);
  return { givens: changed.givens.filter(isFirstOfItsName).slice(-MOST_GIVENS), acts };
}

// The store gives no name to two messages, so no world has such.
function isFirstOfItsName(given: string, at: number, givens: readonly string[]): boolean {
  const nameOf = (line: string) => / uidl (\S+)/.exec(line)?.[1];
  const name = nameOf(given);
  return name === undefined || givens.findIndex((line) => nameOf(line) === name) === at;
}

// What stands here twice happens twice as often.
const changes: readonly Change[] = [
  insertCommand,
  insertCommand,
  insertCommand,
  insertOther,
  insertOther,
  drop,
  duplicate,
  swap,
  ofOneAct(changeNumber),
  ofOneAct(changeNumber),
  ofOneAct(changeCase),
  ofOneAct((act, random) => mutateOctets(act, act, SASL_WORDS, random)),
  ofOneAct(changeEnd),
  ofOneAct(changeWord),
  ofOneAct(flood),
  ofOneAct(damageBase64),
  ofOneAct(changeInsideBase64),
  ofOneAct(changeInsideBase64),
  join,
  split,
  changeGiven,
  changeGiven,
  crossOver,
];

function ofOneAct(change: (act: string, random: Random) => string): Change {
  return ({ givens, acts }, _, random) => {
    if (acts.length === 0) return { givens, acts };
    const at = random.between(0, acts.length - 1);
    return { givens, acts: acts.with(at, change(acts[at] ?? "", random)) };
  };
}

function insertCommand({ givens, acts }: Dialogue, _: Dialogue, random: Random): Dialogue {
  const words = [random.pick(COMMANDS)];
  for (let left = random.pick([0, 0, 1, 1, 2]); left > 0; left -= 1) words.push(random.pick(NUMBERS));
  return { givens, acts: acts.toSpliced(random.between(0, acts.length), 0, `${words.join(" ")}\r\n`) };
}

function insertOther({ givens, acts }: Dialogue, other: Dialogue, random: Random): Dialogue {
  const from = random.between(0, other.acts.length);
  const taken = other.acts.slice(from, from + random.between(1, 4));
  return { givens, acts: acts.toSpliced(random.between(0, acts.length), 0, ...taken) };
}

function crossOver(one: Dialogue, other: Dialogue, random: Random): Dialogue {
  const acts = [
    ...one.acts.slice(0, random.between(0, one.acts.length)),
    ...other.acts.slice(random.between(0, other.acts.length)),
  ];
  return { givens: random.between(0, 1) === 0 ? one.givens : other.givens, acts };
}

function drop({ givens, acts }: Dialogue, _: Dialogue, random: Random): Dialogue {
  return { givens, acts: acts.toSpliced(random.between(0, acts.length), random.pick([1, 1, 2])) };
}

function duplicate({ givens, acts }: Dialogue, _: Dialogue, random: Random): Dialogue {
  const at = random.between(0, acts.length);
  const many = acts.slice(at, at + 1).flatMap((act) => Array<string>(random.pick([1, 1, 1, 25])).fill(act));
  return { givens, acts: acts.toSpliced(at, 0, ...many) };
}

function swap({ givens, acts }: Dialogue, _: Dialogue, random: Random): Dialogue {
  const [one, other] = [random.between(0, acts.length), random.between(0, acts.length)];
  const [first, second] = [acts[one], acts[other]];
  if (first === undefined || second === undefined) return { givens, acts };
  return { givens, acts: acts.with(one, second).with(other, first) };
}

function join({ givens, acts }: Dialogue, _: Dialogue, random: Random): Dialogue {
  const at = random.between(0, acts.length);
  const many = random.pick([2, 2, 3, acts.length]);
  return { givens, acts: acts.toSpliced(at, many, ...joined(acts.slice(at, at + many))) };
}

function joined(acts: readonly string[]): string[] {
  return acts.length === 0 ? [] : [acts.join("")];
}

function split({ givens, acts }: Dialogue, _: Dialogue, random: Random): Dialogue {
  const at = random.between(0, acts.length);
  const act = acts[at];
  if (act === undefined || act.length < 2) return { givens, acts };
  const cut = random.between(1, act.length - 1);
  return { givens, acts: acts.toSpliced(at, 1, act.slice(0, cut), act.slice(cut)) };
}

function changeNumber(act: string, random: Random): string {
  const numbers = [...act.matchAll(/\d+/g)];
  if (numbers.length === 0) return act.replace(/(?=\r?\n)/, ` ${random.pick(NUMBERS)}`);
  const { index, 0: number } = random.pick(numbers);
  return act.slice(0, index) + random.pick(NUMBERS) + act.slice(index + number.length);
}

function changeCase(act: string, random: Random): string {
  // What becomes SS, SSS or another ASCII letter where case is not changed as ASCII does it.
  const odd = random.pick(["\xdf", "\xdfs", "\xb5", "\xff"]);
  return random.pick([
    () => act.toLowerCase(),
    () => act.replaceAll(/[a-z]/gi, (letter) => (random.between(0, 1) === 0 ? letter.toLowerCase() : letter)),
    () => act.replace(/ss?/i, odd),
  ])();
}

function changeEnd(act: string, random: Random): string {
  const ends = [
    "\n",
    "\r",
    "",
    "\r\r\n",
    "\n\r",
    " \r\n",
    "\t\r\n",
    "\0\r\n",
    "\r\n\r\n",
    "\r\n.\r\n",
    "\x0b\r\n",
    "\x85\r\n",
  ];
  return act.replace(/\r?\n?$/, random.pick(ends));
}

function changeWord(act: string, random: Random): string {
  const [command = "", ...rest] = act.split(" ");
  return random.pick([
    () => [random.pick(COMMANDS), ...rest].join(" "),
    () => [command, "", ...rest].join(" "),
    () => [command, ...rest, random.pick(NUMBERS)].join(" "),
    () => ` ${act}`,
    () => [command, anyOctet(random) + rest.join(" ")].join(" "),
    () => act.replaceAll(" ", "\t"),
    () => act.replaceAll(" ", "\xa0"),
  ])();
}

function flood(act: string, random: Random): string {
  const at = random.between(0, Math.max(0, act.search(/\r?\n|$/)));
  return (
    act.slice(0, at) +
    random
      .pick(["A", " ", "0", "=", "\xe4", "\0"])
      .repeat(random.pick(random.between(0, 9) === 0 ? GREAT_FLOODS : FLOODS)) +
    act.slice(at)
  );
}

function damageBase64(act: string, random: Random): string {
  const tokens = [...act.matchAll(TOKEN)];
  if (tokens.length === 0) return act;
  const { index, 0: token } = random.pick(tokens);
  const at = random.between(0, token.length);
  const damaged = random.pick([
    () => token.slice(0, -1),
    () => `${token}=`,
    () => token.slice(0, at) + random.pick(["=", " ", "-", "_", "\n", "\r", "%", "*", "\0", "."]) + token.slice(at),
    () => token.replace(/=+$/, ""),
    () => token.replaceAll("+", "-").replaceAll("/", "_"),
    () => token.replace(/[A-Za-z0-9](?==*$)/, (last) => (last === "B" ? "C" : "B")),
    () => token + token,
    () => "",
    () => "=",
  ])();
  return act.slice(0, index) + damaged + act.slice(index + token.length);
}

function changeInsideBase64(act: string, random: Random): string {
  const tokens = [...act.matchAll(TOKEN)];
  if (tokens.length === 0) return act.replace(/(?=\r?\n)/, ` ${base64(random.pick(SASL_WORDS))}`);
  const { index, 0: token } = random.pick(tokens);
  const inside = Buffer.from(token, "base64").toString("latin1");
  const changed = base64(mutateOctets(inside, inside, SASL_WORDS, random));
  return act.slice(0, index) + changed + act.slice(index + token.length);
}

function changeGiven({ givens, acts }: Dialogue, other: Dialogue, random: Random): Dialogue {
  const at = random.between(0, givens.length);
  return random.pick([
    () => ({ givens: givens.toSpliced(at, 1), acts }),
    () => ({ givens: givens.toSpliced(at, 0, random.pick(GIVENS)), acts }),
    () => ({ givens: givens.toSpliced(at, 0, writeMessage(random.pick(MESSAGES))), acts }),
    () => ({
      givens: givens.toSpliced(at, 0, writeMessage(mutateOctets(random.pick(MESSAGES), "", MESSAGES, random))),
      acts,
    }),
    () => ({ givens: [...givens, ...other.givens.slice(0, random.between(1, 3))], acts }),
  ])();
}
