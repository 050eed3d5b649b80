import { assert } from "../../lib/assert.ts";
import { OVERLONG, type Line } from "../../lib/lines.ts";
import type { Listing } from "../../model/listing.ts";
import { outage, takeAnswer, type Answer } from "./answers.ts";
import { bad } from "./authorization.ts";
import { commands, type Command, type CommandName, type Rule } from "./commands.ts";
import type { Effects } from "./effects.ts";
import { hearLast, respond } from "./sasl.ts";
import type { Session } from "./session.ts";

/** A line of the client, without its end, or what became of the last action. */
export type Input = Line | Answer;

/** The longest line the engine is to be given: AUTH and SASL responses (rule SASL-03), line end included. */
export const LINE_OCTETS = 32 * 1024;
/** All other commands (rule 2449-01). */
const COMMAND_OCTETS = 255;

const NO_WORDS: readonly string[] = [];

/** One step of a session. While an action is not answered, no line may come. */
export function step(session: Session, input: Input, effects: Effects): void {
  if (typeof input === "object") {
    if (input.kind === "loaded") loaded(session, input.listing, effects);
    else takeAnswer(session, input, effects);
    return;
  }
  assert(session.awaited === undefined, "no line before the last action was answered");
  // What is pipelined behind QUIT is not looked at (rule 2449-05).
  if (session.state.phase === "over") return;
  if (session.state.phase === "authorization") {
    const { exchange, conclusion } = session.state;
    if (exchange !== undefined) return respond(session, session.state, exchange, input, effects);
    if (conclusion !== undefined) return hearLast(session, session.state, conclusion, input, effects);
  }
  command(session, input, effects);
}

function command(session: Session, line: Line, effects: Effects): void {
  const name = carryOut(session, line, effects);
  effects.command = name;
  // PASS is valid immediately after USER (RFC 1939 §7, rule 1939-19); CAPA asks and changes nothing (rule 2449-04).
  if (session.state.phase === "authorization" && name !== "USER" && name !== "CAPA") session.state.user = undefined;
}

function carryOut(session: Session, line: Line, effects: Effects): CommandName | "unknown" {
  if (line === OVERLONG) return refuse(session, "unknown", session.texts.lineTooLong, effects);
  const space = line.indexOf(" ");
  const keyword = space < 0 ? line : line.slice(0, space);
  const rule = commands.get(keyword) ?? inAnyCase(keyword);
  if (line.length + 2 > COMMAND_OCTETS && rule?.name !== "AUTH")
    return refuse(session, rule?.name ?? "unknown", session.texts.lineTooLong, effects);
  if (rule === undefined) return refuse(session, "unknown", session.texts.unknownCommand, effects);
  const words = wordsOf(rule, line, space);
  if (words === undefined) return refuse(session, rule.name, session.texts.badArguments, effects);
  run(session, rule, words, line, effects);
  return rule.name;
}

// Keywords are taken in any case (rule 1939-02); nearly all come in upper case. Beyond ASCII there is none: ß would be SS.
function inAnyCase(keyword: string): Command | undefined {
  return /^[A-Za-z0-9]+$/.test(keyword) ? commands.get(keyword.toUpperCase()) : undefined;
}

function run(session: Session, rule: Rule, words: readonly string[], line: string, effects: Effects): void {
  const { state } = session;
  if (rule.phase === "both") return rule.run(session, words, effects);
  if (rule.phase === "authorization") {
    if (state.phase === "authorization") rule.run(session, state, words, effects);
    else effects.error(session.texts.loggedIn);
    return;
  }
  if (state.phase === "authorization") return bad(session, state, effects, session.texts.loginFirst);
  if (state.phase === "over") return;
  if (!rule.needsListing || state.drop.isLoaded) return rule.run(session, state, words, effects);
  session.awaited = { kind: "loaded", line };
  effects.action = { kind: "load" };
}

function loaded(session: Session, listing: Listing, effects: Effects): void {
  const { awaited, state } = session;
  session.awaited = undefined;
  if (awaited?.kind !== "loaded" || state.phase !== "transaction") return;
  if (state.drop.load(listing)) carryOut(session, awaited.line, effects);
  // Fewer or more messages than the open told: numbers would name the wrong ones.
  else outage(session, "damaged", effects);
}

function refuse(
  session: Session,
  name: CommandName | "unknown",
  text: string,
  effects: Effects,
): CommandName | "unknown" {
  // After a login a wrong command never ends the session (rule 1939-03).
  if (session.state.phase === "authorization") {
    session.state.user = undefined;
    bad(session, session.state, effects, text);
  } else effects.error(text);
  return name;
}

// Words are divided by single spaces; spaces at the end, which some clients send, are nothing.
function wordsOf(rule: Rule, line: string, space: number): readonly string[] | undefined {
  if (rule.arity === "rest") return space < 0 ? undefined : [line.slice(space + 1)];
  if (space < 0) return rule.arity[0] === 0 ? NO_WORDS : undefined;
  let end = line.length;
  while (line.charCodeAt(end - 1) === 32) end -= 1;
  const words = end <= space ? NO_WORDS : line.slice(space + 1, end).split(" ");
  return words.length >= rule.arity[0] && words.length <= rule.arity[1] ? words : undefined;
}
