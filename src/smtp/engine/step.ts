import { answerContent, answerOpened, readChunk, readData, skipChunk } from "./content.ts";
import { obey } from "./commands.ts";
import { answerLogin, answerScram, takeResponse } from "./login.ts";
import { answerAllowed, answerRecipient } from "./mail.ts";
import { reply } from "./reply.ts";
import { close, type Effects, type Input, isReceiving, type Session } from "./session.ts";

/**
 * One step of an SMTP, submission or LMTP session (RFC 5321, RFC 6409, RFC 2033): changes the session and adds what is
 * to be done to `effects`. Commands are answered one by one, in order (RFC 2920).
 */
export function step(session: Session, input: Input, effects: Effects): void {
  if (session.mode === "closed") return;
  take(session, input, effects);
  leave(session, effects);
}

const timeouts = { idle: reply.idle, slow: reply.tooSlow, house: reply.noAnswer } as const;

/** Whether what comes next is content, to be given to `readContent`, rather than lines. */
export function takesContent({ mode }: Session): boolean {
  return mode === "data" || mode === "chunk" || mode === "skip";
}

/** Reads content, in pieces of any size; gives how many octets of the piece belonged to it. */
export function readContent(session: Session, octets: Uint8Array, effects: Effects): number {
  const taken = readPiece(session, octets, effects);
  leave(session, effects);
  return taken;
}

function take(session: Session, input: Input, effects: Effects): void {
  const { settings } = session;
  switch (input.kind) {
    case "connected":
      effects.push(`220 ${settings.hostname} ${settings.protocol === "lmtp" ? "LMTP" : "ESMTP"} Mailkeep\r\n`);
      return;
    case "line":
      session.policy = input.policy;
      if (session.mode === "response") return takeResponse(session, input.line, effects);
      return obey(session, input.line, input.behind, effects);
    case "recipient":
      return answerRecipient(session, input.result, effects);
    case "login":
      return answerLogin(session, input.result, effects);
    case "scram":
      return answerScram(session, input.facts, effects);
    case "allowed":
      return answerAllowed(session, input.allowed, effects);
    case "opened":
      return answerOpened(session, input.ok, effects);
    case "delivered":
      return answerContent(session, input.outcomes, effects);
    case "secured":
      session.waiting = undefined;
      session.tls = input.tls;
      session.channel = input.channel;
      return;
    case "timeout":
      return close(session, timeouts[input.reason], effects);
    case "shutdown":
      session.draining = true;
      return;
  }
}

function readPiece(session: Session, octets: Uint8Array, effects: Effects): number {
  if (session.mode === "data") return readData(session, octets, effects);
  if (session.mode === "chunk") return readChunk(session, octets, effects);
  if (session.mode === "skip") return skipChunk(session, octets, effects);
  // Nothing is wanted of a session that has ended.
  return octets.length;
}

/** A server that stops lets a content come in and be stored, and ends the session at the next quiet moment. */
function leave(session: Session, effects: Effects): void {
  if (!session.draining || session.mode === "closed" || session.mode === "skip") return;
  if (session.waiting === undefined && !isReceiving(session)) close(session, reply.shuttingDown, effects);
}
