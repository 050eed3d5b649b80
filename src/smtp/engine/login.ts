import { decodeBase64, encodeBase64 } from "../../auth/engine/base64.ts";
import type { ScramFacts, Step } from "../../auth/engine/mechanism.ts";
import { beginExchange, findMechanism, isUsable } from "../../auth/engine/mechanisms.ts";
import { type Line, OVERLONG } from "../../lib/lines.ts";
import type { Result } from "../../lib/result.ts";
import { loginRefusals, reply } from "./reply.ts";
import type { LoginRefusal, Submitter } from "./results.ts";
import { bad, close, type Effects, type Session } from "./session.ts";

const FAILED_LOGINS = 3;

/** AUTH (RFC 4954 §4). */
export function auth(session: Session, argument: string, effects: Effects): void {
  if (session.helo === undefined) return bad(session, reply.greetFirst, effects);
  if (session.submitter !== undefined) return bad(session, reply.alreadyLoggedIn, effects);
  if (session.mail) return bad(session, reply.nested, effects);
  const [name = "", initial, ...more] = argument.split(" ");
  if (name === "" || more.length > 0) return bad(session, reply.badArgument, effects);
  const { policy, channel } = session;
  const mechanism = findMechanism(name);
  if (!mechanism) return bad(session, reply.unknownMechanism, effects);
  if (!isUsable(mechanism, policy, channel)) {
    // Whether TLS alone is missing: then the client has to be told that, and not that it is no mechanism (RFC 4954 §6).
    const wouldBe = isUsable(mechanism, policy, { ...channel, secure: true });
    return bad(session, wouldBe ? reply.encryptionFirst : reply.unknownMechanism, effects);
  }
  const octets = initial === undefined ? undefined : decodeInitial(initial);
  if (initial !== undefined && octets === undefined) return fail(session, reply.badResponse, effects);
  const begun = beginExchange(mechanism, octets, policy, channel);
  session.exchange = begun.exchange;
  follow(session, begun.step, effects);
}

/** Takes the client's next line of an exchange. */
export function takeResponse(session: Session, line: Line, effects: Effects): void {
  session.mode = "command";
  const { exchange, judged } = session;
  if (line === OVERLONG || !exchange) return fail(session, reply.longResponse, effects);
  if (line === "*") return fail(session, reply.cancelled, effects);
  // It has heard what it needed; whatever it says to that ends the exchange (rules SASL-04, OAUTH-01).
  if (judged) return conclude(session, judged, effects);
  const octets = decodeBase64(line);
  if (!octets) return fail(session, reply.badResponse, effects);
  follow(session, exchange.step(octets), effects);
}

/** What the house said of a SCRAM question. */
export function answerScram(session: Session, facts: ScramFacts | undefined, effects: Effects): void {
  session.waiting = undefined;
  const answered = facts && session.exchange?.answered?.(facts);
  if (!answered) return fail(session, loginRefusals.unavailable, effects);
  follow(session, answered, effects);
}

/** What the house said of the credentials. */
export function answerLogin(session: Session, result: Result<Submitter, LoginRefusal>, effects: Effects): void {
  session.waiting = undefined;
  const told = closingWords(session, result);
  if (told === undefined) return conclude(session, result, effects);
  session.judged = result;
  challenge(session, told, effects);
}

/** What the mechanism tells the client before the reply. Where nothing was judged, it has nothing to tell. */
function closingWords({ exchange }: Session, result: Result<Submitter, LoginRefusal>): Uint8Array | undefined {
  if (!result.ok) return result.error === "refused" ? exchange?.concluded?.({ ok: false }) : undefined;
  const { serverSignature } = result.value;
  return exchange?.concluded?.(serverSignature === undefined ? { ok: true } : { ok: true, serverSignature });
}

function conclude(session: Session, result: Result<Submitter, LoginRefusal>, effects: Effects): void {
  if (!result.ok) return fail(session, loginRefusals[result.error], effects);
  endExchange(session);
  session.submitter = result.value;
  session.failedLogins = 0;
  effects.push(reply.loggedIn);
}

function follow(session: Session, step: Step, effects: Effects): void {
  switch (step.kind) {
    case "challenge":
      return challenge(session, step.octets, effects);
    case "question":
      session.waiting = "scram";
      effects.push({ do: "scram", question: step.question });
      return;
    case "credentials":
      session.waiting = "login";
      effects.push({ do: "login", credentials: step.credentials });
      return;
    case "failed":
      return fail(session, step.reason === "malformed" ? reply.badResponse : loginRefusals.refused, effects);
  }
}

function challenge(session: Session, octets: Uint8Array, effects: Effects): void {
  session.mode = "response";
  effects.push(`334 ${encodeBase64(octets)}\r\n`);
}

/** Every exchange that came to nothing counts, so that none can go on for ever. */
function fail(session: Session, text: string, effects: Effects): void {
  endExchange(session);
  session.failedLogins += 1;
  effects.push(text);
  if (session.failedLogins >= FAILED_LOGINS) close(session, reply.tooManyLogins, effects);
}

function endExchange(session: Session): void {
  session.exchange = undefined;
  session.judged = undefined;
}

/** "=" is a response of no octets (RFC 4954 §4). */
function decodeInitial(initial: string): Uint8Array | undefined {
  return initial === "=" ? new Uint8Array(0) : decodeBase64(initial);
}
