import assert from "node:assert/strict";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { after, before, describe, test } from "node:test";
import * as fc from "fast-check";
import { SMTPServer, type SMTPServerDataStream, type SMTPServerSession } from "smtp-server";
import { SmtpClient } from "./testing/client.ts";
import { startServer, type TestServer } from "./testing/server.ts";

/*
 * smtp-server has no CHUNKING and waits for a line behind `DATA x`, so BDAT and that are not compared.
 *
 * The same octets to Mailkeep and to smtp-server (the oracle): the same messages must be taken, and the replies must be of
 * the same class. Where they differ on purpose, the dialogue says so in its own words.
 */

type Heard = { readonly classes: string; readonly messages: readonly string[] };
/** `take`: the messages that came from the client at that port. */
type Server = { readonly port: number; take(client: number): readonly string[] };
type Taken = { readonly client: number | undefined; readonly message: string };

const A = "a@example.test";
const B = "b@example.test";
const HELLO = "EHLO x\r\n";
const MAIL = "MAIL FROM:<x@b.example>\r\n";
const RCPT = `RCPT TO:<${A}>\r\n`;
const QUIT = "QUIT\r\n";

/** Mailkeep and its oracle, and what the oracle took. */
type Pair = { readonly mailkeep: TestServer; readonly oracle: SMTPServer; readonly taken: Taken[] };

let smtp: Pair;
let lmtp: Pair;

before(async () => {
  smtp = await startPair(false);
  lmtp = await startPair(true);
});

after(async () => {
  for (const { mailkeep, oracle } of [smtp, lmtp]) {
    await mailkeep[Symbol.asyncDispose]();
    await new Promise<void>((resolve) => {
      oracle.close(resolve);
    });
  }
});

async function startPair(isLmtp: boolean): Promise<Pair> {
  const mailkeep = await startServer({
    protocol: isLmtp ? "lmtp" : "smtp",
    limits: { messageOctets: 1000, recipients: 10 },
  });
  for (const account of [A, B]) mailkeep.house.accounts.set(account, undefined);
  const taken: Taken[] = [];
  const oracle = new SMTPServer({
    name: "oracle.example.test",
    lmtp: isLmtp,
    size: 1000,
    authOptional: true,
    disabledCommands: ["AUTH", "STARTTLS"],
    disableReverseLookup: true,
    logger: false,
    onRcptTo: ({ address }, _, callback) =>
      callback([A, B].includes(address.toLowerCase()) ? null : refusal("unknown", 550)),
    onData: (stream, session, callback) => onData(taken, stream, session, callback),
  });
  oracle.listen(0, "127.0.0.1");
  await once(oracle.server, "listening");
  return { mailkeep, oracle, taken };
}

// smtp-server waits 100 ms before each greeting.
const together = { concurrency: 8 };

describe("what both do alike", together, () => {
  const alike: readonly (readonly [string, string])[] = [
    ["a message", `${HELLO}${MAIL}${RCPT}DATA\r\nSubject: x\r\n\r\nhello\r\n.\r\n`],
    ["two messages", `${HELLO}${MAIL}${RCPT}DATA\r\none\r\n.\r\n${MAIL}${RCPT}DATA\r\ntwo\r\n.\r\n`],
    ["stuffed dots", `${HELLO}${MAIL}${RCPT}DATA\r\n..\r\n...x\r\nz.\r\n\r\n.\r\n`],
    ["8-bit octets and NUL", `${HELLO}${MAIL}${RCPT}DATA\r\n\xff\xfe\0\t\r\n.\r\n`],
    ["a line of 3,000 octets is too large here", `${HELLO}${MAIL}${RCPT}DATA\r\n${"x".repeat(3000)}\r\n.\r\n`],
    ["HELO, the null path", `HELO x\r\nMAIL FROM:<>\r\n${RCPT}DATA\r\nx\r\n.\r\n`],
    ["lower case", `ehlo x\r\nmail from:<x@b.example>\r\nrcpt to:<${A}>\r\ndata\r\nx\r\n.\r\n`],
    ["spaces behind the colon", `${HELLO}MAIL FROM: <x@b.example>\r\nRCPT TO: <${A}>\r\nDATA\r\nx\r\n.\r\n`],
    ["SIZE and BODY", `${HELLO}MAIL FROM:<x@b.example> SIZE=500 BODY=8BITMIME\r\n${RCPT}DATA\r\nx\r\n.\r\n`],
    ["SIZE over the limit", `${HELLO}MAIL FROM:<x@b.example> SIZE=1001\r\n${RCPT}`],
    [
      "an unknown recipient beside a known one",
      `${HELLO}${MAIL}RCPT TO:<who@example.test>\r\n${RCPT}DATA\r\nx\r\n.\r\n`,
    ],
    ["no valid recipient", `${HELLO}${MAIL}RCPT TO:<who@example.test>\r\nDATA\r\n`],
    ["MAIL before EHLO", MAIL],
    ["RCPT before MAIL", `${HELLO}${RCPT}`],
    ["DATA before RCPT", `${HELLO}${MAIL}DATA\r\n`],
    ["MAIL twice", `${HELLO}${MAIL}${MAIL}`],
    ["RSET", `${HELLO}${MAIL}${RCPT}RSET\r\n${RCPT}`],
    ["EHLO forgets the transaction", `${HELLO}${MAIL}${RCPT}${HELLO}DATA\r\n`],
    ["NOOP, VRFY, HELP", `NOOP\r\nVRFY x\r\nHELP\r\n`],
    ["unknown commands", "XYZ\r\nLHLO x\r\n"],
    ["EHLO without a name", "EHLO\r\n"],
    ["MAIL without a path", `${HELLO}MAIL FROM:\r\nMAIL\r\n`],
    ["a source route", `${HELLO}${MAIL}RCPT TO:<@r.example:${A}>\r\n`],
    [
      "the null path as a recipient, and an address literal",
      `${HELLO}${MAIL}RCPT TO:<>\r\nRCPT TO:<b@[192.0.2.1]>\r\n`,
    ],
    [
      "senders without a domain, and with an address literal",
      `${HELLO}MAIL FROM:<root>\r\nMAIL FROM:<x@[192.0.2.1]>\r\n`,
    ],
    [
      "parameters that are wrong",
      `${HELLO}MAIL FROM:<x@b.example> SIZE=x\r\nMAIL FROM:<x@b.example> BODY=BINARYMIME\r\n`,
    ],
    ["an empty message", `${HELLO}${MAIL}${RCPT}DATA\r\n.\r\n`],
    ["control characters in a command", "NOOP\0\r\nHELO \x01\r\n"],
    ["an empty line, and a space before a command", "\r\n HELO x\r\n"],
    ["HTTP", "GET / HTTP/1.1\r\nHELO x\r\n"],
  ];
  for (const [name, dialogue] of alike) {
    test(name, async () => {
      const [ours, theirs] = await both(`${dialogue}${QUIT}`);
      assert.deepEqual(ours, theirs);
    });
  }

  test("any content whose lines end with CRLF, however it is cut", async () => {
    const token = fc.constantFrom(".", "..", "\r\n", "\r\n.", "\r\n..", "a", "\t", "\0", "\xff", " ");
    const content = fc.array(token, { maxLength: 30 }).map((parts) => `${parts.join("")}\r\n`);
    await fc.assert(
      fc.asyncProperty(fc.array(content, { minLength: 5, maxLength: 10 }), fc.nat(40), async (contents, cut) => {
        const dialogue = contents.map((text) => `${MAIL}${RCPT}DATA\r\n${stuffed(text)}.\r\n`).join("");
        const [ours, theirs] = await both(`${HELLO}${dialogue}${QUIT}`, cut + 1);
        assert.deepEqual(ours, theirs);
        assert.deepEqual(
          ours.messages,
          contents.map((text) => described("x@b.example", [A], Buffer.from(text, "latin1"))),
        );
      }),
      { numRuns: 15 },
    );
  });
});

test("LMTP: one answer for each recipient that was accepted", async () => {
  const hello = "LHLO x\r\n";
  const dialogues = [
    `EHLO x\r\n${hello}${MAIL}${RCPT}RCPT TO:<who@example.test>\r\nRCPT TO:<${B}>\r\nDATA\r\nhello\r\n.\r\n`,
    `${hello}${MAIL}RCPT TO:<who@example.test>\r\nDATA\r\n`,
    `${hello}${MAIL}${RCPT}DATA\r\none\r\n.\r\n${MAIL}RCPT TO:<${B}>\r\nDATA\r\ntwo\r\n.\r\n`,
  ];
  for (const dialogue of dialogues) {
    const [ours, theirs] = await both(`${dialogue}${QUIT}`, dialogue.length, lmtp);
    assert.deepEqual(ours, theirs);
  }
});

describe("what Mailkeep does otherwise, and why", together, () => {
  const one = (content: string): string => described("x@b.example", [A], Buffer.from(content));
  const data = `${HELLO}${MAIL}${RCPT}DATA\r\n`;
  const otherwise: readonly (readonly [what: string, dialogue: string, ours: Heard, theirs: Heard])[] = [
    [
      "a dot that a client forgot to stuff is taken away (RFC 5321 §4.5.2)",
      `${data}.y\r\n.\r\n`,
      { classes: "222322", messages: [one("y\r\n")] },
      { classes: "222322", messages: [one(".y\r\n")] },
    ],
    [
      "a bare LF is refused: another server may have seen a line end there (RFC 5321 §2.3.8)",
      `${data}a\nb\r\n.\r\n`,
      { classes: "222352", messages: [] },
      { classes: "222322", messages: [one("a\nb\r\n")] },
    ],
    [
      "LF dot LF is refused; neither takes it for the end",
      `${data}a\n.\nNOOP\r\n.\r\n`,
      { classes: "222352", messages: [] },
      { classes: "222322", messages: [one("a\n.\nNOOP\r\n")] },
    ],
    [
      "CRLF dot LF is refused; neither takes it for the end",
      `${data}a\r\n.\nNOOP\r\n.\r\n`,
      { classes: "222352", messages: [] },
      { classes: "222322", messages: [one("a\r\n.\nNOOP\r\n")] },
    ],
    [
      "LF dot CRLF is refused; neither takes it for the end",
      `${data}a\n.\r\nNOOP\r\n.\r\n`,
      { classes: "222352", messages: [] },
      { classes: "222322", messages: [one("a\n.\r\nNOOP\r\n")] },
    ],
    [
      "CR dot CR is refused; neither takes it for the end",
      `${data}a\r.\rb\r\n.\r\n`,
      { classes: "222352", messages: [] },
      { classes: "222322", messages: [one("a\r.\rb\r\n")] },
    ],
    [
      "a recipient named twice is answered twice; intake stores it once, LMTP needs both answers",
      `${HELLO}${MAIL}${RCPT}${RCPT}DATA\r\nx\r\n.\r\n`,
      { classes: "2222322", messages: [described("x@b.example", [A, A], Buffer.from("x\r\n"))] },
      { classes: "2222322", messages: [one("x\r\n")] },
    ],
    [
      "a quoted local part is an address (RFC 5321 §4.1.2)",
      `${HELLO}MAIL FROM:<"x y"@b.example>\r\n`,
      { classes: "222", messages: [] },
      { classes: "252", messages: [] },
    ],
    [
      "some carriers' addresses have two dots in a row",
      `${HELLO}MAIL FROM:<x..y@b.example>\r\n`,
      { classes: "222", messages: [] },
      { classes: "252", messages: [] },
    ],
    [
      "paths without brackets are taken",
      `${HELLO}MAIL FROM:x@b.example\r\nRCPT TO:${A}\r\n`,
      { classes: "2222", messages: [] },
      { classes: "2552", messages: [] },
    ],
    [
      "an unknown parameter is refused (RFC 5321 §4.1.1.11)",
      `${HELLO}MAIL FROM:<x@b.example> FOO=bar\r\n${MAIL}RCPT TO:<${A}> NOTIFY=NEVER\r\n`,
      { classes: "25252", messages: [] },
      { classes: "22522", messages: [] },
    ],
    [
      "an address in another script needs SMTPUTF8 (RFC 6531 §3.5)",
      `${HELLO}MAIL FROM:<\xe7\x94\xa8@b.example>\r\n`,
      { classes: "252", messages: [] },
      { classes: "222", messages: [] },
    ],
    [
      "LF alone ends no command (RFC 5321 §2.3.8)",
      "NOOP\nNOOP\r\n",
      { classes: "52", messages: [] },
      { classes: "222", messages: [] },
    ],
    [
      "RSET takes no argument (RFC 5321 §4.1.1.5)",
      `${HELLO}RSET x\r\n`,
      { classes: "252", messages: [] },
      { classes: "222", messages: [] },
    ],
    [
      "a name with a space in it greets; the trace shows what was said",
      "HELO x y\r\n",
      { classes: "22", messages: [] },
      { classes: "52", messages: [] },
    ],
    [
      "recipients of one message have a limit (RFC 5321 §4.5.3.1.10)",
      `${HELLO}${MAIL}${RCPT.repeat(11)}`,
      { classes: "22222222222242", messages: [] },
      { classes: "22222222222222", messages: [] },
    ],
    [
      "a command line has a limit (RFC 5321 §4.5.3.1.4)",
      `NOOP ${"x".repeat(3000)}\r\n`,
      { classes: "52", messages: [] },
      { classes: "22", messages: [] },
    ],
  ];
  for (const [what, dialogue, ours, theirs] of otherwise) {
    test(what, async () => {
      const [mine, other] = await both(`${dialogue}${QUIT}`);
      assert.deepEqual([mine, other], [ours, theirs]);
    });
  }
});

async function both(
  dialogue: string,
  cut = dialogue.length,
  { mailkeep, oracle, taken } = smtp,
): Promise<readonly [Heard, Heard]> {
  const { house, port } = mailkeep;
  const messagesOf = (client: number): readonly string[] =>
    house.delivered
      .filter(({ envelope }) => envelope.peer.port === client)
      .map(({ envelope: { sender, recipients }, content }) =>
        described(
          sender,
          recipients.map(({ asGiven }) => asGiven),
          content,
        ),
      );
  const address = oracle.server.address() as AddressInfo;
  const takenFrom = (client: number): readonly string[] =>
    taken.filter((each) => each.client === client).map(({ message }) => message);
  return Promise.all([
    converse({ port, take: messagesOf }, dialogue, cut),
    converse({ port: address.port, take: takenFrom }, dialogue, cut),
  ]);
}

async function converse(server: Server, dialogue: string, cut: number): Promise<Heard> {
  using client = await SmtpClient.connect(server.port);
  const { localPort = 0 } = client.wire.socket;
  await client.reply();
  for (let at = 0; at < dialogue.length; at += cut) client.send(dialogue.slice(at, at + cut));
  const replies = await client.rest();
  const last = replies.split("\r\n").filter((line) => /^\d{3} /.test(line));
  return { classes: last.map((line) => line[0]).join(""), messages: server.take(localPort) };
}

function onData(
  taken: Taken[],
  stream: SMTPServerDataStream,
  session: SMTPServerSession,
  callback: (error?: Error | null) => void,
): void {
  const pieces: Buffer[] = [];
  stream.on("data", (piece: Buffer) => pieces.push(piece));
  stream.on("end", () => {
    if (stream.sizeExceeded) return callback(refusal("too large", 552));
    const { mailFrom, rcptTo } = session.envelope;
    const sender = mailFrom === false ? "" : mailFrom.address;
    const recipients = rcptTo.map(({ address }) => address);
    const message = described(sender, recipients, Buffer.concat(pieces));
    taken.push({ client: session.remotePort, message });
    return callback();
  });
}

function described(sender: string, recipients: readonly string[], content: Buffer): string {
  return `${sender} -> ${recipients.join(" ")}: ${JSON.stringify(content.toString("latin1"))}`;
}

/** RFC 5321 §4.5.2, the client's side. */
function stuffed(text: string): string {
  return text.replace(/^\./gm, "..");
}

function refusal(words: string, responseCode: number): Error {
  return Object.assign(new Error(words), { responseCode });
}
