import { CLEAR_CHANNEL, type Channel, type MechanismPolicy } from "../../auth/engine/channel.ts";
import type { Credentials } from "../../auth/engine/credentials.ts";
import type { Exchange, ScramFacts, ScramQuestion } from "../../auth/engine/mechanism.ts";
import type { Line } from "../../lib/lines.ts";
import type { Result } from "../../lib/result.ts";
import type { Envelope, Recipient } from "../../model/envelope.ts";
import type { Peer } from "../../model/peer.ts";
import type { ChunkCodec, DataCodec } from "./data.ts";
import { reply } from "./reply.ts";
import type { LoginRefusal, Outcome, RecipientRefusal, Submitter } from "./results.ts";

/** What holds for every session of one listener. */
export type Settings = Readonly<{
  protocol: "smtp" | "submission" | "lmtp";
  hostname: string;
  startTls: boolean;
  messageOctets: number;
  recipients: number;
}>;

/** What a session is told. No line and no content is given while it waits for an answer. */
export type Input =
  | { readonly kind: "connected" }
  /** `behind`: octets that came with it and are not given yet. `policy`: which mechanisms there are, as of now. */
  | { readonly kind: "line"; readonly line: Line; readonly behind: number; readonly policy: MechanismPolicy }
  | { readonly kind: "recipient"; readonly result: Result<Recipient, RecipientRefusal> }
  | { readonly kind: "login"; readonly result: Result<Submitter, LoginRefusal> }
  /** undefined: the house cannot say now. */
  | { readonly kind: "scram"; readonly facts: ScramFacts | undefined }
  /** undefined: the house cannot say now. */
  | { readonly kind: "allowed"; readonly allowed: boolean | undefined }
  /** Whether there is room for a content. */
  | { readonly kind: "opened"; readonly ok: boolean }
  | { readonly kind: "delivered"; readonly outcomes: readonly Outcome[] }
  | { readonly kind: "secured"; readonly tls: Envelope["tls"]; readonly channel: Channel }
  /** The client said nothing for too long, its message came too slowly, or the house gave no answer. */
  | { readonly kind: "timeout"; readonly reason: "idle" | "slow" | "house" }
  | { readonly kind: "shutdown" };

/** The commands that are counted by name. */
export type CommandName =
  | "AUTH"
  | "BDAT"
  | "DATA"
  | "EHLO"
  | "HELO"
  | "HELP"
  | "LHLO"
  | "MAIL"
  | "NOOP"
  | "QUIT"
  | "RCPT"
  | "RSET"
  | "STARTTLS"
  | "VRFY"
  | "unknown";

/** What the driver is to do, in order. A string is a reply, whole lines. */
export type Effect =
  | string
  | { readonly do: "count"; readonly command: CommandName }
  /** Asks; the answer is the input "recipient". */
  | { readonly do: "recipient"; readonly path: string; readonly octets: number }
  /** Asks; the answer is the input "login". */
  | { readonly do: "login"; readonly credentials: Credentials }
  /** Asks; the answer is the input "scram". */
  | { readonly do: "scram"; readonly question: ScramQuestion }
  /** Asks whether a session that logged in may go on; the answer is the input "allowed". */
  | { readonly do: "allowed"; readonly submitter: Submitter }
  /** Opens a sink for a content; the answer is the input "opened". */
  | { readonly do: "open"; readonly expected: number }
  | { readonly do: "content"; readonly octets: Uint8Array }
  /** Drops the content that was opened. */
  | { readonly do: "discard" }
  /** Hands the content over; the answer is the input "delivered". */
  | { readonly do: "deliver"; readonly envelope: Envelope; readonly dotted: boolean }
  /** Begins the handshake once the reply before it is written; the answer is the input "secured". */
  | { readonly do: "secure" }
  | Refused
  | { readonly do: "attack"; readonly kind: "octets-behind-starttls" | "bare-line-end" | "http" }
  /** Closes once all replies are written. */
  | { readonly do: "close" };

export type Effects = Effect[];

/** Tells the operator what was refused; `recipient` is "" where it was the sender or the whole message. */
export type Refused = {
  readonly do: "refused";
  readonly reason: RecipientRefusal | "too-many" | "too-large" | "not-own-address" | "bare-line-end" | "no-memory";
  readonly sender: string;
  readonly recipient: string;
};

/** A message's content while it comes. */
export type Incoming = {
  readonly codec: DataCodec | ChunkCodec;
  octets: number;
  /** The reply that it will get in the end; nothing more of it is kept. */
  failure: string | undefined;
};

/** A mail transaction (RFC 5321 §3.3). */
export type Transaction = {
  readonly sender: string;
  readonly international: boolean;
  /** What SIZE announced. */
  readonly announced: number;
  readonly recipients: Recipient[];
  incoming: Incoming | undefined;
};

/** All that a session knows. */
export type Session = {
  readonly settings: Settings;
  readonly peer: Peer;
  tls: Envelope["tls"];
  /** What mechanisms may know of the connection. */
  channel: Channel;
  /** As of the line before. */
  policy: MechanismPolicy;
  /** How the next octets are read. "response": a line of a SASL exchange. "skip": the octets of a refused BDAT. */
  mode: "command" | "response" | "data" | "chunk" | "skip" | "closed";
  /** What must be answered before the next octet is looked at. */
  waiting: "recipient" | "login" | "scram" | "allowed" | "open" | "delivery" | "tls" | undefined;
  helo: string | undefined;
  /** Greeted by EHLO or LHLO. */
  extended: boolean;
  submitter: Submitter | undefined;
  exchange: Exchange | undefined;
  /** How the house judged the exchange, while the client is told something before it hears of that. */
  judged: Result<Submitter, LoginRefusal> | undefined;
  mail: Transaction | undefined;
  /** A transaction that begins if the submitter may still send. */
  begun: Transaction | undefined;
  /** The forward path that the house was asked about. */
  asked: string;
  /** The octets of the BDAT under way that are still to come, and whether it is the last. */
  chunk: { octets: number; last: boolean; refusal: string };
  badInARow: number;
  /** Commands since the last message that lead to none. */
  fruitless: number;
  failedLogins: number;
  draining: boolean;
};

/** Where there is no AUTH at all. */
export const NO_MECHANISMS: MechanismPolicy = {
  allowCleartext: false,
  scram: false,
  scramSha1: false,
  oauth: false,
  clientCertificates: false,
};

/** A session that has not said anything yet. */
export function newSession(
  settings: Settings,
  peer: Peer,
  tls: Envelope["tls"],
  channel: Channel = CLEAR_CHANNEL,
): Session {
  return {
    settings,
    peer,
    tls,
    channel,
    policy: NO_MECHANISMS,
    mode: "command",
    waiting: undefined,
    helo: undefined,
    extended: false,
    submitter: undefined,
    exchange: undefined,
    judged: undefined,
    mail: undefined,
    begun: undefined,
    asked: "",
    chunk: { octets: 0, last: false, refusal: "" },
    badInARow: 0,
    fruitless: 0,
    failedLogins: 0,
    draining: false,
  };
}

/** Whether a content is coming or being stored: what a stopping server lets finish. */
export function isReceiving(session: Session): boolean {
  const { mode, waiting } = session;
  return mode === "data" || mode === "chunk" || waiting === "open" || waiting === "delivery";
}

// A client that only makes mistakes is none of mail; ten in a row cost it the connection.
const BAD_IN_A_ROW = 10;
// One that guesses addresses, or only keeps the connection, gets so many answers.
const FRUITLESS = 100;

/** Answers a command that was wrong in itself or out of order. */
export function bad(session: Session, text: string, effects: Effects): void {
  session.badInARow += 1;
  if (session.badInARow < BAD_IN_A_ROW) return fruitless(session, text, effects);
  effects.push(text);
  close(session, reply.tooManyBad, effects);
}

/** Answers what leads to no message; a session may not live by that alone. */
export function fruitless(session: Session, text: string, effects: Effects): void {
  effects.push(text);
  session.fruitless += 1;
  if (session.fruitless >= FRUITLESS) close(session, reply.tooManyFruitless, effects);
}

/** Ends the session, with last words where there are any. */
export function close(session: Session, words: string, effects: Effects): void {
  resetMail(session, effects);
  if (words !== "") effects.push(words);
  effects.push({ do: "close" });
  session.mode = "closed";
}

/** Forgets the transaction and what came of its content. */
export function resetMail(session: Session, effects: Effects): void {
  if (session.mail?.incoming && session.mail.incoming.failure === undefined) effects.push({ do: "discard" });
  session.mail = undefined;
  session.begun = undefined;
}
