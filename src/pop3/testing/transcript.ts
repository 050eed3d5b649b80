import assert from "node:assert/strict";
import { parseLanguageTag } from "../../model/language.ts";
import type { Person } from "../engine/session.ts";
import { newGiven, World, type Given, type WorldMessage } from "./world.ts";

/*
 * A transcript is a dialogue with its conditions, one a line:
 *   # text             a comment; the first one is the title
 *   given clear        no TLS yet (given cleartext: and passwords are allowed; given no-stls: STLS is not possible)
 *   given scram|scram-sha1|oauth         these mechanisms are on (given binding: the TLS layer has something to bind to;
 *         given certificate: the client showed tim's certificate)
 *   given login throttled|unavailable|damaged, facts unavailable|damaged, open in-use|login-delay|unavailable|damaged,
 *         listing unavailable|damaged|short, update partly|lost|full|failed   what a port answers instead of the usual
 *   given expire|login-delay N [user]    what is announced before a login (user: it is not the same for all)
 *   given own expire|login-delay N, own language TAG, own no-delete              what holds for tim
 *   message "octets" [uidl NAME] [fault damaged|gone|failed|utf8] [ascii "octets"]     one more message in tim's
 *                      maildrop; ascii: what a session without UTF8 has of it
 *   mend N             message N can be read from here on
 *   whole only         neither cut nor pipelined, because when octets come is what it is about
 *   C: text            a line of the client (C> text: octets without a line end); \x41, \0, \r, \n, \\ are escapes,
 *                      {A*300} is a run of 300 and, at the end of a line, {base64 text} is that; what is not ASCII is
 *                      UTF-8 on the wire
 *   S: text            the server's next line
 *   closed | closed attack NAME | open     how the connection stands
 *   removed 1,3        the uids that UPDATE removed, in all
 */
type Act =
  | { readonly kind: "client"; readonly octets: string }
  | { readonly kind: "server"; readonly line: string }
  | { readonly kind: "closed"; readonly attack: string | undefined }
  | { readonly kind: "open" }
  | { readonly kind: "mend"; readonly message: number }
  | { readonly kind: "removed"; readonly uids: readonly number[] };

export type Transcript = {
  readonly title: string;
  readonly wholeOnly: boolean;
  readonly given: () => Given;
  readonly acts: readonly Act[];
};

/** Reads a transcript. */
export function parseTranscript(source: string): Transcript {
  const acts: Act[] = [];
  const gives: ((given: Given) => void)[] = [];
  let title = "";
  let wholeOnly = false;
  for (const line of source.split("\n")) {
    const [word = "", ...rest] = line.split(" ");
    const text = rest.join(" ");
    if (word === "#") title ||= text;
    else if (line === "whole only") wholeOnly = true;
    else if (word === "given") gives.push((given) => give(given, rest));
    else if (word === "message") gives.push((given) => given.messages.push(parseMessage(text)));
    else if (line !== "") acts.push(parseAct(word, text));
  }
  const given = (): Given => {
    const fresh = newGiven();
    for (const each of gives) each(fresh);
    return fresh;
  };
  return { title, wholeOnly, given, acts };
}

function parseAct(word: string, text: string): Act {
  switch (word) {
    case "C:":
      return { kind: "client", octets: `${onWire(text)}\r\n` };
    case "C>":
      return { kind: "client", octets: onWire(text) };
    case "S:":
      return { kind: "server", line: onWire(text) };
    case "closed":
      return { kind: "closed", attack: text === "" ? undefined : text.replace("attack ", "") };
    case "open":
      return { kind: "open" };
    case "mend":
      return { kind: "mend", message: Number(text) };
    case "removed":
      return { kind: "removed", uids: text === "" ? [] : text.split(",").map(Number) };
    default:
      throw new Error(`a transcript has no line such as: ${word} ${text}`);
  }
}

function parseMessage(text: string): WorldMessage {
  const found = MESSAGE.exec(text);
  if (found === null) throw new Error(`not a message: ${text}`);
  const [, octets = "", uidl, fault, ascii = octets] = found;
  return {
    text: onWire(octets),
    uidl: uidl && onWire(uidl),
    fault: fault as WorldMessage["fault"],
    ascii: onWire(ascii),
  };
}

const MESSAGE =
  /^"((?:[^"\\]|\\.)*)"(?: uidl (\S+))?(?: fault (damaged|gone|failed|utf8))?(?: ascii "((?:[^"\\]|\\.)*)")?$/;

function give(given: Given, [what = "", value = "", more]: readonly string[]): void {
  const { announced } = given;
  const { mechanisms } = announced;
  switch (what) {
    case "clear":
      given.tls = false;
      return;
    case "cleartext":
      given.tls = false;
      given.announced = { ...announced, mechanisms: { ...mechanisms, allowCleartext: true } };
      return;
    case "no-stls":
      given.policy = { ...given.policy, stlsPossible: false };
      return;
    case "scram":
      given.announced = { ...announced, mechanisms: { ...mechanisms, scram: true } };
      return;
    case "scram-sha1":
      given.announced = { ...announced, mechanisms: { ...mechanisms, scram: true, scramSha1: true } };
      return;
    case "oauth":
      given.announced = { ...announced, mechanisms: { ...mechanisms, oauth: true } };
      return;
    case "certificate":
      given.announced = { ...announced, mechanisms: { ...mechanisms, clientCertificates: true } };
      given.certificate = true;
      return;
    case "binding":
      given.binding = true;
      return;
    case "expire":
      given.announced = { ...announced, expire: { days: Number(value), perUser: more === "user" } };
      return;
    case "login-delay":
      given.announced = { ...announced, loginDelay: { seconds: Number(value), perUser: more === "user" } };
      return;
    case "own":
      given.person = { ...given.person, ...own(value, more) };
      return;
    case "login":
    case "facts":
    case "open":
    case "listing":
    case "update":
      Object.assign(given, { [what]: value });
      return;
    default:
      throw new Error(`nothing can be given such as: ${what}`);
  }
}

function own(what: string, value: string | undefined): Partial<Person> {
  switch (what) {
    case "expire":
      return { expireDays: Number(value) };
    case "login-delay":
      return { loginDelaySeconds: Number(value) };
    case "language":
      return { language: parseLanguageTag(value ?? "") };
    case "no-delete":
      return { noDelete: true };
    default:
      throw new Error(`nothing of one's own is such as: ${what}`);
  }
}

// Latin1, in which everything of a session is: one character an octet.
function onWire(text: string): string {
  const latin1 = Buffer.from(text, "utf8").toString("latin1");
  const [encoded, inner = ""] = /\{base64 (.*)\}$/.exec(latin1) ?? [""];
  return (
    unescape(latin1.slice(0, latin1.length - encoded.length)) +
    Buffer.from(unescape(inner), "latin1").toString("base64")
  );
}

function unescape(text: string): string {
  return text
    .replaceAll(/\{(.)\*(\d+)\}/g, (_, character: string, count: string) => character.repeat(Number(count)))
    .replaceAll(/\\(x[0-9a-f]{2}|.)/g, (_, escape: string) => {
      if (escape.startsWith("x")) return String.fromCharCode(Number.parseInt(escape.slice(1), 16));
      return { "0": "\0", r: "\r", n: "\n" }[escape] ?? escape;
    });
}

/** How the client's octets reach the server: as written, octet by octet, or as many at once as no reply stands between. */
export type Manner = "whole" | "octets" | "pipelined";

/** Plays a transcript and asserts every line of the server, and that it says no more than that. */
export function play(transcript: Transcript, manner: Manner): void {
  const world = new World(transcript.given());
  const { acts } = transcript;
  let heard = 0;
  let at = 0;
  for (const [index, act] of acts.entries()) {
    if (act.kind !== "client") {
      // All that was pipelined has been dealt with by now, so how the connection stood on the way is not to be seen.
      if (act.kind !== "open" || manner !== "pipelined") at = check(world, act, at);
    } else if (manner === "whole") world.hear(act.octets);
    else if (manner === "octets") for (const octet of act.octets.split("")) world.hear(octet);
    else if (index >= heard) {
      heard = endOfBurst(acts, index);
      world.hear(octetsOf(acts.slice(index, heard)));
    }
  }
  assert.equal(world.said.slice(at), "", "the server says no more");
}

// How far a client may go on without waiting: to where the world changes, and to the answer to STLS (RFC 2595 §4).
function endOfBurst(acts: readonly Act[], from: number): number {
  const waits = ({ kind }: Act, place: number): boolean => kind === "mend" || isStls(acts[place - 1]);
  const end = acts.findIndex((each, place) => place > from && waits(each, place));
  return end < 0 ? acts.length : end;
}

function isStls(act: Act | undefined): boolean {
  return act?.kind === "client" && act.octets.toUpperCase() === "STLS\r\n";
}

function octetsOf(acts: readonly Act[]): string {
  return acts.map((act) => (act.kind === "client" ? act.octets : "")).join("");
}

// Gives where the server's next line begins.
function check(world: World, act: Exclude<Act, { kind: "client" }>, at: number): number {
  if (act.kind === "server") {
    const end = world.said.indexOf("\r\n", at);
    assert.equal(world.said.slice(at, end < 0 ? undefined : end), act.line);
    return end + 2;
  }
  if (act.kind === "closed")
    assert.deepEqual({ closed: world.closed, attack: world.attack }, { closed: true, attack: act.attack });
  else if (act.kind === "open") assert.equal(world.closed, false);
  else if (act.kind === "removed") assert.deepEqual(world.removed ?? [], act.uids);
  else {
    const message = world.given.messages[act.message - 1];
    assert.ok(message);
    message.fault = undefined;
  }
  return at;
}
