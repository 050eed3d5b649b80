import assert from "node:assert/strict";
import { test } from "node:test";
import { parseTranscript } from "../../../src/pop3/testing/transcript.ts";
import { World } from "../../../src/pop3/testing/world.ts";
import { BrokenRule } from "../target.ts";
import { clientLines } from "./client-lines.ts";
import { houseOf } from "./house.ts";
import { Judge } from "./judge.ts";
import { Replies } from "./replies.ts";

/*
 * A judge that finds nothing wrong is worth nothing: here a server lies, each time in one way, and must be caught.
 */
const login = "C: AUTH PLAIN AHRpbQB0YW5zdGFhZg==";
const two = 'message "Subject: a\\r\\n\\r\\n.b\\r\\nc\\r\\n"\nmessage "d\\r\\n"';

type Lie = readonly [what: string, transcript: string, from: string | RegExp, to: string, rule: RegExp];

const lies: readonly Lie[] = [
  ["ends a line with LF", "C: CAPA", "\r\n.\r\n", "\n.\r\n", /2449-02/],
  ["writes its indicator small", "C: CAPA", "+OK\r\n", "+Ok\r\n", /1939-02/],
  ["answers twice", `${two}\n${login}\nC: NOOP\nC: STAT`, "+OK\r\n", "+OK\r\n+OK\r\n", /1939-08/],
  ["answers not at all", `${two}\n${login}\nC: STAT`, /\+OK 2 \d+\r\n/, "", /1939 §3/],
  ["counts what is marked", `${two}\n${login}\nC: DELE 2\nC: STAT`, "+OK 1 21", "+OK 2 24", /1939-08/],
  ["lists what is marked", `${two}\n${login}\nC: DELE 2\nC: LIST`, "1 21\r\n.", "1 21\r\n2 3\r\n.", /1939-09/],
  ["numbers anew", `${two}\n${login}\nC: DELE 1\nC: LIST`, "2 3\r\n.", "1 3\r\n.", /1939-07/],
  ["tells another size", `${two}\n${login}\nC: LIST 2`, "+OK 2 3", "+OK 2 4", /1939-10/],
  ["does not stuff", `${two}\n${login}\nC: RETR 1`, "\r\n..b", "\r\n.b", /1939-11/],
  ["sends a line too much", `${two}\n${login}\nC: TOP 1 1`, "..b\r\n", "..b\r\nc\r\n", /1939-11/],
  ["adds a blank line", `${two}\n${login}\nC: RETR 2`, "d\r\n.", "d\r\n\r\n.", /1939-12/],
  ["gives one id to two", `${two}\n${login}\nC: UIDL`, /2 2-\S+/, "2 1-0000abc0", /1939-18/],
  ["changes an id", `${two}\n${login}\nC: UIDL 1\nC: UIDL 1`, /(\+OK 1 )\S+(\r\n\+OK 1 )/, "$1x$2", /1939-18/],
  ["deletes twice", `${two}\n${login}\nC: DELE 1\nC: DELE 1`, /-ERR.*/, "+OK", /1939-14/],
  ["removes although it failed", `given update failed\n${login}\nC: QUIT`, /-ERR.*/, "+OK", /1939-16/],
  [
    "claims to have removed all",
    `given update partly\n${two}\n${login}\nC: DELE 1\nC: QUIT`,
    /-ERR.*not removed/,
    "+OK",
    /1939-16/,
  ],
  [
    "calls damage an outage",
    `given update partly\n${two}\n${login}\nC: DELE 1\nC: QUIT`,
    "[SYS/PERM]",
    "[SYS/TEMP]",
    /1939-16/,
  ],
  ["logs in without a password", "C: USER tim\nC: PASS x", /-ERR \[AUTH\].*/, "+OK", /3206-01/],
  ["calls an outage a wrong password", `given login unavailable\n${login}`, "[SYS/TEMP]", "[AUTH]", /3206-01/],
  ["tells a stranger of the lock", "given open in-use\nC: USER tim\nC: PASS x", "[AUTH]", "[IN-USE]", /2449-09/],
  ["takes STAT before the login", "C: STAT", /-ERR.*/, "+OK 0 0", /1939-04/],
  ["takes NOOP before the login", "C: NOOP", /-ERR.*/, "+OK", /1939-04/],
  ["takes what is no base64", "C: AUTH PLAIN AHR*pbQB0YW5zdGFhZg==", /-ERR.*/, "+OK", /SASL-02/],
  ["forgets the space of an empty challenge", "C: AUTH PLAIN", "+ \r\n", "+\r\n", /SASL-02/],
  ["announces PLAIN in clear text", "given clear\nC: CAPA", "LANG\r\n", "LANG\r\nSASL PLAIN\r\n", /SASL-06/],
  ["still announces STLS", `given cleartext\n${login}\nC: CAPA`, "LANG\r\n", "LANG\r\nSTLS\r\n", /2449-04/],
  ["takes UTF8 too late", `${login}\nC: UTF8`, /-ERR.*/, "+OK", /1939-04/],
  ["repeats what it heard", "C: X\\x07Y", "unknown command", "unknown command X\x07Y", /2449-02/],
  ["says a line of 513 octets", "C: X", "unknown command", "x".repeat(506), /2449-02/],
  ["begins a text with a bracket", "C: X", "unknown command", "[x", /2449-06/],
  ["takes a command of 300 octets", `${login}\nC: NOOP {x*300}`, /-ERR.*/, "+OK", /2449-01/],
  ["begins TLS with octets behind STLS", "given clear\nC> STLS\\r\\nCAPA\\r\\n", /-ERR.*/, "+OK", /TLS-02/],
  ["gives another nonce", "given scram\nC: AUTH SCRAM-SHA-256 {base64 y,,n=user,r=x}", "+ cj14", "+ cj15", /SASL-02/],
];

for (const [what, source, from, to, rule] of lies) {
  test(`a server that ${what} is caught`, () => {
    const said = play(source);
    const lie = said.replace(from, to);
    assert.notEqual(lie, said, "it lies");
    listen(source, said);
    assert.throws(
      () => listen(source, lie),
      (thrown) => thrown instanceof BrokenRule && rule.test(thrown.message),
    );
  });
}

test("more than was asked for is caught", () => {
  assert.notEqual(listen("C: NOOP", `${play("C: NOOP")}+OK\r\n`), "");
});

function acts(source: string): string[] {
  return parseTranscript(source).acts.flatMap((act) => (act.kind === "client" ? [act.octets] : []));
}

function play(source: string): string {
  const world = new World(parseTranscript(source).given());
  for (const act of acts(source)) world.hear(act);
  return world.said;
}

/** What is left of what the server said. */
function listen(source: string, said: string): string {
  const replies = new Replies(said);
  const judge = new Judge(houseOf(parseTranscript(source).given()), replies);
  for (const line of clientLines(acts(source))) judge.take(line);
  return replies.rest;
}
