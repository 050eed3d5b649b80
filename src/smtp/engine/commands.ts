import { usableMechanisms } from "../../auth/engine/mechanisms.ts";
import { type Line, OVERLONG } from "../../lib/lines.ts";
import { bdat, data } from "./content.ts";
import { auth } from "./login.ts";
import { mail, rcpt } from "./mail.ts";
import { reply } from "./reply.ts";
import {
  bad,
  close,
  type CommandName,
  type Effect,
  type Effects,
  fruitless,
  resetMail,
  type Session,
} from "./session.ts";

/** `behind`: octets that came with the command and are not looked at yet. */
type Run = (session: Session, argument: string, effects: Effects, behind: number) => void;
type Rule = { readonly run: Run; readonly counted: Effect };
type Table = ReadonlyMap<string, Rule>;

function table(...rows: readonly (readonly [CommandName, Run])[]): Table {
  return new Map(rows.map(([command, run]) => [command, { run, counted: { do: "count", command } }]));
}

// What all three protocols have.
const common: readonly (readonly [CommandName, Run])[] = [
  ["MAIL", mail],
  ["RCPT", rcpt],
  ["DATA", data],
  ["BDAT", bdat],
  ["RSET", rset],
  ["NOOP", (session, _, effects) => fruitless(session, reply.ok, effects)],
  ["QUIT", quit],
  ["VRFY", vrfy],
  ["HELP", (session, _, effects) => fruitless(session, reply.help, effects)],
  ["STARTTLS", startTls],
];

const smtp = table(["EHLO", ehlo], ["HELO", helo], ...common);
const submission = table(["EHLO", ehlo], ["HELO", helo], ["AUTH", auth], ...common);
// RFC 2033 §4.1: LHLO in place of both.
const lmtp = table(["LHLO", ehlo], ...common);

/** The commands of each protocol, one row each. */
export const commands: Readonly<Record<Session["settings"]["protocol"], Table>> = { smtp, submission, lmtp };

const UNKNOWN: Effect = { do: "count", command: "unknown" };
// A web page can make a browser post lines that would be obeyed as commands.
const HTTP = new Set(["CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"]);
/** The longest line that is taken: AUTH and its responses. RFC 4954 §4 asks for 12,288; a token of 16 KiB needs more. */
export const LINE_OCTETS = 32_768;
/** RFC 5321 §4.5.3.1.4 asks for 512; the parameters of SIZE, SMTPUTF8 and what may come need more. */
const COMMAND_OCTETS = 2048;
// oxlint-disable-next-line eslint/no-control-regex -- they are what it looks for
const CONTROL = /[\x00-\x1f\x7f]/;

/** Obeys one command line. */
export function obey(session: Session, line: Line, behind: number, effects: Effects): void {
  const before = session.badInARow;
  if (line === OVERLONG) bad(session, reply.longLine, effects);
  else if (CONTROL.test(line)) bad(session, reply.badLine, effects);
  else dispatch(session, line, behind, effects);
  if (session.badInARow === before) session.badInARow = 0;
}

function dispatch(session: Session, line: string, behind: number, effects: Effects): void {
  const space = line.indexOf(" ");
  const verb = (space < 0 ? line : line.slice(0, space)).toUpperCase();
  const rule = commands[session.settings.protocol].get(verb);
  effects.push(rule?.counted ?? UNKNOWN);
  if (rule && verb !== "AUTH" && line.length > COMMAND_OCTETS) return bad(session, reply.longLine, effects);
  if (rule) return rule.run(session, space < 0 ? "" : line.slice(space + 1).trim(), effects, behind);
  if (!HTTP.has(verb)) return bad(session, reply.unknownCommand, effects);
  effects.push({ do: "attack", kind: "http" });
  close(session, reply.notHttp, effects);
}

/** EHLO and LHLO: forget the transaction and say what can be asked for (RFC 5321 §4.1.4). */
function ehlo(session: Session, name: string, effects: Effects): void {
  if (!greet(session, name, effects)) return;
  session.extended = true;
  fruitless(session, extensions(session), effects);
}

function helo(session: Session, name: string, effects: Effects): void {
  if (!greet(session, name, effects)) return;
  session.extended = false;
  fruitless(session, `250 ${session.settings.hostname}\r\n`, effects);
}

/** The name is not checked against anything: it is a claim, and the trace says it is (RFC 5321 §4.1.4). */
function greet(session: Session, name: string, effects: Effects): boolean {
  if (name === "" || name.length > 255) {
    bad(session, reply.badArgument, effects);
    return false;
  }
  resetMail(session, effects);
  session.helo = name;
  return true;
}

function extensions(session: Session): string {
  const { settings, tls } = session;
  const lines = [
    settings.hostname,
    "PIPELINING",
    `SIZE ${settings.messageOctets}`,
    "8BITMIME",
    "SMTPUTF8",
    "CHUNKING",
    "ENHANCEDSTATUSCODES",
  ];
  if (settings.startTls && tls === undefined) lines.push("STARTTLS");
  const mechanisms = usableMechanisms(session.policy, session.channel);
  if (settings.protocol === "submission" && mechanisms.length > 0)
    lines.push(`AUTH ${mechanisms.map(({ name }) => name).join(" ")}`);
  const last = lines.pop() ?? "";
  return `${lines.map((line) => `250-${line}\r\n`).join("")}250 ${last}\r\n`;
}

function rset(session: Session, argument: string, effects: Effects): void {
  if (argument !== "") return bad(session, reply.badArgument, effects);
  resetMail(session, effects);
  fruitless(session, reply.ok, effects);
}

/** Says nothing about anybody (RFC 5321 §7.3). */
function vrfy(session: Session, argument: string, effects: Effects): void {
  if (argument === "") return bad(session, reply.badArgument, effects);
  fruitless(session, reply.vrfy, effects);
}

function quit(session: Session, argument: string, effects: Effects): void {
  if (argument !== "") return bad(session, reply.badArgument, effects);
  close(session, reply.bye, effects);
}

/** RFC 3207: nothing that was learned or read before the handshake is used after it (P5). */
function startTls(session: Session, argument: string, effects: Effects, behind: number): void {
  if (argument !== "") return bad(session, reply.badArgument, effects);
  if (session.tls !== undefined) return bad(session, reply.alreadyTls, effects);
  if (!session.settings.startTls) return bad(session, reply.noTls, effects);
  if (behind > 0) {
    effects.push({ do: "attack", kind: "octets-behind-starttls" });
    return close(session, reply.behindTls, effects);
  }
  resetMail(session, effects);
  session.helo = undefined;
  session.extended = false;
  session.submitter = undefined;
  session.waiting = "tls";
  effects.push(reply.readyForTls, { do: "secure" });
}
