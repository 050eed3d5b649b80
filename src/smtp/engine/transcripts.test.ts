import assert from "node:assert/strict";
import { createHash, createHmac, pbkdf2Sync, timingSafeEqual } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";
import type { Channel, MechanismPolicy } from "../../auth/engine/channel.ts";
import type { Credentials } from "../../auth/engine/credentials.ts";
import type { ScramFacts } from "../../auth/engine/mechanism.ts";
import { LineSplitter } from "../../lib/lines.ts";
import { err, ok, type Result } from "../../lib/result.ts";
import type { Address } from "../../model/address.ts";
import type { Recipient } from "../../model/envelope.ts";
import type { AccountId, MailboxId } from "../../model/ids.ts";
import { LINE_OCTETS } from "./commands.ts";
import { PASSWORDS_ONLY } from "./testing/policy.ts";
import type { LoginRefusal, Outcome, RecipientRefusal, Submitter } from "./results.ts";
import { type Effect, type Input, newSession, type Session, type Settings } from "./session.ts";
import { readContent, step, takesContent } from "./step.ts";

/*
 * Runs every dialogue of transcripts/ whole, byte by byte, and pipelined. A transcript is
 *   # comment
 *   protocol smtp|submission|lmtp [tls] [bound] [starttls] [cleartext] [scram] [sha1] [oauth] [certificates] [no-room]
 *   limit octets|recipients N
 *   mailbox ADDRESS [refusal]         what the house says at RCPT; other addresses are "elsewhere"
 *   outcome ADDRESS OUTCOME           what becomes of a message for it; "stored" where nothing is said
 *   user ADDRESS PASSWORD [refusal]   the password is also a bearer token
 *   certificate ADDRESS               what the client showed in its handshake
 *   C: line        C~ raw text with \r \n \\ and \xHH, no line end
 *   S: line of a reply
 *   M: <sender> -> <recipient>… protocol "content" [dotted]      handed over for delivery
 *   E: closed | tls | attack kind
 *   ! idle | slow | shutdown                                     what the driver says
 *   ! ended | restored                                           whether who logged in may still send
 */

type House = {
  settings: Settings;
  policy: MechanismPolicy;
  bound: boolean;
  certificate: string | undefined;
  tls: boolean;
  room: boolean;
  readonly mailboxes: Map<string, RecipientRefusal | undefined>;
  readonly outcomes: Map<string, Outcome>;
  readonly users: Map<string, { readonly password: string; readonly refusal: LoginRefusal | undefined }>;
};
type Line = { readonly kind: "C" | "!" | "expected"; readonly text: string };
type Transcript = { readonly house: House; readonly lines: readonly Line[] };

const folder = new URL("transcripts/", import.meta.url);
const TLS = { version: "TLSv1.3", cipher: "TLS_AES_256_GCM_SHA384" };

for (const file of readdirSync(folder).toSorted()) {
  describe(`transcript ${file}`, () => {
    for (const part of readFileSync(new URL(file, folder), "utf8")
      .split(/^(?=## )/m)
      .slice(1)) {
      const title = part.slice(3, part.indexOf("\n"));
      const transcript = parse(part);
      test(`${title}: whole`, () => run(transcript, { pipelined: false, cut: 0 }));
      test(`${title}: byte by byte`, () => run(transcript, { pipelined: false, cut: 1 }));
      test(`${title}: pipelined`, () => run(transcript, { pipelined: true, cut: 0 }));
      test(`${title}: pipelined, in pieces of 7`, () => run(transcript, { pipelined: true, cut: 7 }));
    }
  });
}

function run({ house, lines }: Transcript, how: { readonly pipelined: boolean; readonly cut: number }): void {
  const client = new Client(house);
  let sent = "";
  let expected: string[] = [];
  const settle = (): void => {
    client.send(Buffer.from(sent, "latin1"), how.cut);
    sent = "";
    assert.deepEqual(client.heard.splice(0), expected);
    expected = [];
  };
  for (const [i, line] of lines.entries()) {
    const before = lines[i - 1];
    // What is not pipelined waits for its answer; nothing may follow STARTTLS (RFC 3207 §4) or overtake the driver.
    const answered = before?.kind === "expected" && (!how.pipelined || before.text === "E: tls");
    if (line.kind === "!" || (line.kind === "C" && (answered || before?.kind === "!"))) settle();
    if (line.kind === "C") sent += line.text;
    else if (line.kind === "expected") expected.push(line.text);
    else client.say(line.text);
  }
  settle();
}

/** The least that a driver does, with the answers of the house given at once. */
class Client {
  readonly heard: string[] = [];
  readonly #house: House;
  readonly #session: Session;
  readonly #lines = new LineSplitter({ maximum: LINE_OCTETS, bareLf: false });
  readonly #effects: Effect[] = [];
  #content: Buffer[] = [];
  #allowed = true;

  constructor(house: House) {
    this.#house = house;
    const tls = house.tls ? TLS : undefined;
    this.#session = newSession(house.settings, { address: "192.0.2.1", port: 1 }, tls, channelOf(house, house.tls));
    this.#step({ kind: "connected" });
  }

  send(octets: Buffer, cut: number): void {
    const size = cut === 0 ? Math.max(1, octets.length) : cut;
    for (let at = 0; at < octets.length; at += size) {
      this.#lines.push(octets.subarray(at, at + size));
      while (this.#feed());
    }
  }

  say(what: string): void {
    if (what === "ended" || what === "restored") this.#allowed = what === "restored";
    else if (what === "shutdown") this.#step({ kind: "shutdown" });
    else this.#step({ kind: "timeout", reason: what as "idle" | "slow" });
  }

  #feed(): boolean {
    if (takesContent(this.#session)) {
      const rest = this.#lines.rest();
      if (rest.length === 0) return false;
      this.#lines.drop(readContent(this.#session, rest, this.#effects));
      this.#carryOut();
      return true;
    }
    const line = this.#lines.next();
    if (line !== undefined) this.#step({ kind: "line", line, behind: this.#lines.held, policy: this.#house.policy });
    return line !== undefined;
  }

  #step(input: Input): void {
    step(this.#session, input, this.#effects);
    this.#carryOut();
  }

  #carryOut(): void {
    for (const effect of this.#effects.splice(0)) this.#do(effect);
  }

  #do(effect: Effect): void {
    if (typeof effect === "string") {
      assert.match(effect, /^(?:[\x20-\x7e]{1,510}\r\n)+$/);
      this.heard.push(
        ...effect
          .split("\r\n")
          .slice(0, -1)
          .map((line) => `S: ${line}`),
      );
      return;
    }
    const { mailboxes, outcomes, room } = this.#house;
    if (effect.do === "recipient") {
      const address = effect.path.toLowerCase();
      const refusal = mailboxes.has(address) ? mailboxes.get(address) : "elsewhere";
      this.#step({ kind: "recipient", result: refusal === undefined ? ok(recipientOf(effect.path)) : err(refusal) });
    } else if (effect.do === "login") {
      this.#step({ kind: "login", result: judge(this.#house, effect.credentials) });
    } else if (effect.do === "scram") this.#step({ kind: "scram", facts: EXAMPLE_FACTS });
    else if (effect.do === "allowed") this.#step({ kind: "allowed", allowed: this.#allowed });
    else if (effect.do === "open") this.#step({ kind: "opened", ok: room });
    else if (effect.do === "content") this.#content.push(Buffer.from(effect.octets));
    else if (effect.do === "discard") this.#content = [];
    else if (effect.do === "deliver") {
      const { sender, recipients, protocol } = effect.envelope;
      const to = recipients.map(({ asGiven }) => ` <${asGiven}>`).join("");
      const content = JSON.stringify(Buffer.concat(this.#content).toString("latin1"));
      this.#content = [];
      this.heard.push(`M: <${sender}> ->${to} ${protocol} ${content}${effect.dotted ? " dotted" : ""}`);
      this.#step({
        kind: "delivered",
        outcomes: recipients.map(({ asGiven }) => outcomes.get(asGiven.toLowerCase()) ?? "stored"),
      });
    } else if (effect.do === "secure") {
      this.heard.push("E: tls");
      this.#step({ kind: "secured", tls: TLS, channel: channelOf(this.#house, true) });
    } else if (effect.do === "attack") this.heard.push(`E: attack ${effect.kind}`);
    else if (effect.do === "close") {
      assert.deepEqual(this.#content, [], "a content is left when the session closes");
      this.heard.push("E: closed");
    }
  }
}

function channelOf({ bound, certificate }: House, secure: boolean): Channel {
  const binding: Channel["binding"] = (type) => (bound && secure ? Buffer.from(`data of ${type}`) : undefined);
  return { secure, binding, clientCertificate: secure && certificate !== undefined };
}

function judge({ users, certificate }: House, credentials: Credentials): Result<Submitter, LoginRefusal> {
  if (credentials.kind === "certificate") {
    const own = certificate !== undefined && (credentials.user === "" || credentials.user === certificate);
    return own ? ok({ address: certificate as Address }) : err("refused");
  }
  const user = users.get(credentials.user);
  const address = credentials.user as Address;
  if (user === undefined || user.refusal !== undefined) return err(user?.refusal ?? "refused");
  if (credentials.kind === "scram") {
    const serverSignature = judgeProof(credentials, user.password);
    return serverSignature ? ok({ address, serverSignature }) : err("refused");
  }
  const secret = credentials.kind === "token" ? credentials.token : credentials.password;
  return secret.reveal() === user.password ? ok({ address }) : err("refused");
}

/** What the house answers to every SCRAM question: the values of the example in RFC 7677 §3. */
const EXAMPLE_FACTS: ScramFacts = {
  salt: Buffer.from("W22ZaK0SNY7soEsUEjb6gQ==", "base64"),
  iterations: 4096,
  nonce: "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
};

/** Judges a proof by RFC 5802 §3, written out: the server's signature, or undefined where the password is another. */
function judgeProof(
  { hash, message, proof }: Extract<Credentials, { readonly kind: "scram" }>,
  password: string,
): Uint8Array | undefined {
  const hmac = (key: Uint8Array, text: string | Uint8Array): Buffer => createHmac(hash, key).update(text).digest();
  const salted = pbkdf2Sync(password, EXAMPLE_FACTS.salt, EXAMPLE_FACTS.iterations, hash === "sha1" ? 20 : 32, hash);
  const clientKey = hmac(salted, "Client Key");
  const storedKey = createHash(hash).update(clientKey).digest();
  const signature = hmac(storedKey, message);
  const expected = clientKey.map((octet, i) => octet ^ (signature[i] ?? 0));
  return timingSafeEqual(expected, proof) ? hmac(hmac(salted, "Server Key"), message) : undefined;
}

function recipientOf(path: string): Recipient {
  const quota = { octets: 1, messages: 1 };
  return { asGiven: path, address: path as Address, account: 1 as AccountId, mailbox: 1 as MailboxId, quota };
}

function parse(text: string): Transcript {
  const house: House = {
    settings: {
      protocol: "smtp",
      hostname: "mail.example.test",
      startTls: false,
      messageOctets: 1000,
      recipients: 100,
    },
    policy: PASSWORDS_ONLY,
    bound: false,
    certificate: undefined,
    tls: false,
    room: true,
    mailboxes: new Map(),
    outcomes: new Map(),
    users: new Map(),
  };
  const lines: Line[] = [];
  for (const line of text.split("\n").slice(1)) {
    if (line === "" || line.startsWith("#")) continue;
    if (line.startsWith("C: ") || line === "C:") lines.push({ kind: "C", text: `${latin1(line.slice(3))}\r\n` });
    else if (line.startsWith("C~ ")) lines.push({ kind: "C", text: unescape(latin1(line.slice(3))) });
    else if (/^[SME]: /.test(line)) lines.push({ kind: "expected", text: line });
    else if (line.startsWith("! ")) lines.push({ kind: "!", text: line.slice(2) });
    else direct(house, line.split(" "), line);
  }
  const greeting = house.settings.protocol === "lmtp" ? "LMTP" : "ESMTP";
  return { house, lines: [{ kind: "expected", text: `S: 220 mail.example.test ${greeting} Mailkeep` }, ...lines] };
}

function direct(house: House, [word, first = "", second, third]: readonly string[], line: string): void {
  if (word === "protocol") {
    const has = (flag: string): boolean => line.split(" ").includes(flag);
    house.settings = {
      ...house.settings,
      protocol: first as Settings["protocol"],
      startTls: has("starttls"),
    };
    house.policy = {
      allowCleartext: has("cleartext"),
      scram: has("scram"),
      scramSha1: has("sha1"),
      oauth: has("oauth"),
      clientCertificates: has("certificates"),
    };
    house.bound = has("bound");
    house.tls = has("tls");
    house.room = !has("no-room");
  } else if (word === "limit")
    house.settings = { ...house.settings, [first === "octets" ? "messageOctets" : "recipients"]: Number(second) };
  else if (word === "mailbox") house.mailboxes.set(first, second as RecipientRefusal | undefined);
  else if (word === "outcome") house.outcomes.set(first, second as Outcome);
  else if (word === "certificate") house.certificate = first;
  else if (word === "user")
    house.users.set(first, { password: second ?? "", refusal: third as LoginRefusal | undefined });
  else throw new Error(`a transcript has the line: ${line}`);
}

/** UTF-8 text as the octets that a client sends, one character each. */
function latin1(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}

function unescape(text: string): string {
  return text.replace(/\\(?:x([0-9a-f]{2})|(.))/g, (_, hex: string | undefined, letter: string) => {
    if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
    return { r: "\r", n: "\n", t: "\t", "0": "\0" }[letter] ?? letter;
  });
}
