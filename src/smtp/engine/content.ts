import { assert } from "../../lib/assert.ts";
import type { Envelope } from "../../model/envelope.ts";
import { ChunkCodec, DataCodec } from "./data.ts";
import { outcomeForAll, outcomes, reply } from "./reply.ts";
import type { Outcome } from "./results.ts";
import {
  bad,
  close,
  type Effects,
  type Incoming,
  type Refused,
  resetMail,
  type Session,
  type Transaction,
} from "./session.ts";

const NOTHING = new Uint8Array(0);

/** DATA (RFC 5321 §4.1.1.4). */
export function data(session: Session, argument: string, effects: Effects): void {
  if (argument !== "") return bad(session, reply.badArgument, effects);
  const transaction = session.mail;
  if (!transaction) return bad(session, reply.mailFirst, effects);
  if (transaction.incoming) return bad(session, reply.mixed, effects);
  if (transaction.recipients.length === 0) return bad(session, reply.recipientFirst, effects);
  open(session, transaction, new DataCodec(), effects);
}

/**
 * BDAT (RFC 3030 §2). Its octets follow at once, whatever the answer will be: those of a refused one are read and
 * dropped, so that they are never taken for commands. Without a count nobody can tell where they end.
 */
export function bdat(session: Session, argument: string, effects: Effects): void {
  const parsed = /^(\d{1,15})(?: +(LAST))?$/i.exec(argument);
  if (!parsed) return close(session, reply.badChunk, effects);
  const chunk = { octets: Number(parsed[1]), last: parsed[2] !== undefined, refusal: "" };
  session.chunk = chunk;
  const transaction = session.mail;
  if (!transaction) return refuseChunk(session, reply.mailFirst, effects);
  if (transaction.recipients.length === 0) return refuseChunk(session, reply.recipientFirst, effects);
  const { incoming } = transaction;
  if (!incoming) return open(session, transaction, new ChunkCodec(), effects);
  beginChunk(session, incoming, effects);
}

/** Whether the house has room for the content. */
export function answerOpened(session: Session, hasRoom: boolean, effects: Effects): void {
  session.waiting = undefined;
  const incoming = session.mail?.incoming;
  if (!incoming) return;
  const byData = incoming.codec instanceof DataCodec;
  if (hasRoom && byData) {
    session.mode = "data";
    effects.push(reply.sendContent);
  } else if (hasRoom) beginChunk(session, incoming, effects);
  else {
    // Nothing was opened, so nothing is to be discarded.
    incoming.failure = reply.noMemory;
    if (byData) refuseContent(session, reply.noMemory, false, effects);
    else beginChunk(session, incoming, effects);
  }
}

/** The octets behind DATA; gives how many of them were content. */
export function readData(session: Session, octets: Uint8Array, effects: Effects): number {
  const incoming = session.mail?.incoming;
  assert(incoming?.codec instanceof DataCodec, "content without DATA");
  const ranges: Uint8Array[] = [];
  const end = incoming.codec.read(octets, ranges);
  for (const range of ranges) take(session, incoming, range, effects);
  if (end < 0) return octets.length;
  session.mode = "command";
  endContent(session, effects);
  return end;
}

/** The octets of a chunk. */
export function readChunk(session: Session, octets: Uint8Array, effects: Effects): number {
  const incoming = session.mail?.incoming;
  assert(incoming?.codec instanceof ChunkCodec, "a chunk without BDAT");
  const piece = octets.subarray(0, session.chunk.octets);
  session.chunk.octets -= piece.length;
  incoming.codec.read(piece);
  take(session, incoming, piece, effects);
  if (session.chunk.octets === 0) endChunk(session, incoming, effects);
  return piece.length;
}

/** Those of a chunk that was refused: read and dropped. */
export function skipChunk(session: Session, octets: Uint8Array, effects: Effects): number {
  const taken = Math.min(session.chunk.octets, octets.length);
  session.chunk.octets -= taken;
  if (session.chunk.octets > 0) return taken;
  session.mode = "command";
  bad(session, session.chunk.refusal, effects);
  return taken;
}

/** What became of the message: one answer for all recipients, or one for each (RFC 2033 §4.2). */
export function answerContent(session: Session, each: readonly Outcome[], effects: Effects): void {
  session.waiting = undefined;
  session.mail = undefined;
  if (each.includes("stored")) session.fruitless = 0;
  if (session.settings.protocol === "lmtp") effects.push(each.map((outcome) => outcomes[outcome]).join(""));
  else effects.push(outcomes[outcomeForAll(each)]);
}

function open(session: Session, transaction: Transaction, codec: Incoming["codec"], effects: Effects): void {
  transaction.incoming = { codec, octets: 0, failure: undefined };
  session.waiting = "open";
  effects.push({ do: "open", expected: transaction.announced });
}

function beginChunk(session: Session, incoming: Incoming, effects: Effects): void {
  session.mode = "chunk";
  if (session.chunk.octets === 0) endChunk(session, incoming, effects);
}

function refuseChunk(session: Session, refusal: string, effects: Effects): void {
  session.chunk.refusal = refusal;
  session.mode = "skip";
  if (session.chunk.octets === 0) skipChunk(session, NOTHING, effects);
}

/** Keeps a piece, or drops what was kept once it is clear that the message will be refused. */
function take(session: Session, incoming: Incoming, piece: Uint8Array, effects: Effects): void {
  incoming.octets += piece.length;
  if (incoming.failure !== undefined) return;
  if (incoming.codec.bare) incoming.failure = reply.bareLineEnd;
  else if (incoming.octets > session.settings.messageOctets) incoming.failure = reply.tooLarge;
  if (incoming.failure === undefined) effects.push({ do: "content", octets: piece });
  else effects.push({ do: "discard" });
}

function endChunk(session: Session, incoming: Incoming, effects: Effects): void {
  session.mode = "command";
  const { codec } = incoming;
  if (session.chunk.last) {
    if (codec instanceof ChunkCodec) codec.end();
    return endContent(session, effects);
  }
  const failure = failureOf(incoming);
  if (failure === undefined) effects.push(reply.chunkOk);
  else refuseContent(session, failure, false, effects);
}

function endContent(session: Session, effects: Effects): void {
  const transaction = session.mail;
  if (!transaction?.incoming) return;
  const failure = failureOf(transaction.incoming);
  if (failure !== undefined) return refuseContent(session, failure, true, effects);
  session.waiting = "delivery";
  effects.push({
    do: "deliver",
    envelope: envelopeOf(session, transaction),
    dotted: transaction.incoming.codec.dotted,
  });
}

/** The same for every cut of the input: a bare line end outweighs what else is wrong. */
function failureOf(incoming: Incoming): string | undefined {
  return incoming.codec.bare ? reply.bareLineEnd : incoming.failure;
}

/** `whole`: the message has come to its end, where LMTP gives one answer for each recipient. */
function refuseContent(session: Session, text: string, whole: boolean, effects: Effects): void {
  const { mail, settings } = session;
  const recipients = mail?.recipients.length ?? 0;
  if (text === reply.bareLineEnd) effects.push({ do: "attack", kind: "bare-line-end" });
  effects.push({ do: "refused", reason: reasons[text] ?? "no-memory", sender: mail?.sender ?? "", recipient: "" });
  resetMail(session, effects);
  effects.push(settings.protocol === "lmtp" && whole ? text.repeat(recipients) : text);
}

const reasons: Readonly<Record<string, Refused["reason"]>> = {
  [reply.bareLineEnd]: "bare-line-end",
  [reply.tooLarge]: "too-large",
};

function envelopeOf(session: Session, { sender, recipients, international }: Transaction): Envelope {
  const { peer, helo = "", tls, submitter } = session;
  return {
    protocol: protocolOf(session, international),
    peer,
    helo,
    sender,
    recipients,
    ...(tls && { tls }),
    ...(submitter !== undefined && { submitter: submitter.address }),
  };
}

/** The "with" of the trace (RFC 3848, RFC 6531 §4.3). */
function protocolOf({ settings, extended, tls, submitter }: Session, international: boolean): Envelope["protocol"] {
  const secure = tls ? "S" : "";
  if (settings.protocol === "lmtp") return `${international ? "UTF8" : ""}LMTP${secure}`;
  const login = submitter === undefined ? "" : "A";
  if (international) return `UTF8SMTP${secure}${login}` as Envelope["protocol"];
  return extended || tls || login !== "" ? (`ESMTP${secure}${login}` as Envelope["protocol"]) : "SMTP";
}
