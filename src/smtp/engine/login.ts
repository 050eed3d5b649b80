import { decodeBase64, encodeBase64 } from "../../auth/engine/base64.ts";
import { beginExchange, findMechanism } from "../../auth/engine/mechanisms.ts";
import type { Step } from "../../auth/engine/mechanism.ts";
import { type Line, OVERLONG } from "../../lib/lines.ts";
import type { Result } from "../../lib/result.ts";
import type { Address } from "../../model/address.ts";
import { loginRefusals, reply } from "./reply.ts";
import type { LoginRefusal } from "./results.ts";
import { bad, close, type Effects, type Session } from "./session.ts";

const FAILED_LOGINS = 3;

/** AUTH (RFC 4954 §4). */
export function auth(session: Session, argument: string, effects: Effects): void {
  if (session.helo === undefined) return bad(session, reply.greetFirst, effects);
  if (session.submitter !== undefined) return bad(session, reply.alreadyLoggedIn, effects);
  if (session.mail) return bad(session, reply.nested, effects);
  const [name = "", initial, ...more] = argument.split(" ");
  if (name === "" || more.length > 0) return bad(session, reply.badArgument, effects);
  const mechanism = findMechanism(name);
  if (!mechanism) return bad(session, reply.unknownMechanism, effects);
  if (mechanism.clearSecret && session.tls === undefined && !session.settings.allowCleartext)
    return bad(session, reply.encryptionFirst, effects);
  const octets = initial === undefined ? undefined : decodeInitial(initial);
  if (initial !== undefined && octets === undefined) return fail(session, reply.badResponse, effects);
  const begun = beginExchange(mechanism, octets);
  session.exchange = begun.exchange;
  follow(session, begun.step, effects);
}

/** Takes the client's next line of an exchange. */
export function takeResponse(session: Session, line: Line, effects: Effects): void {
  session.mode = "command";
  const { exchange } = session;
  if (line === OVERLONG || !exchange) return fail(session, reply.longResponse, effects);
  if (line === "*") return fail(session, reply.cancelled, effects);
  const octets = decodeBase64(line);
  if (!octets) return fail(session, reply.badResponse, effects);
  follow(session, exchange.step(octets), effects);
}

/** What the house said of the credentials. */
export function answerLogin(
  session: Session,
  result: Result<{ readonly address: Address }, LoginRefusal>,
  effects: Effects,
): void {
  session.waiting = undefined;
  if (!result.ok) return fail(session, loginRefusals[result.error], effects);
  session.submitter = result.value.address;
  session.failedLogins = 0;
  effects.push(reply.loggedIn);
}

function follow(session: Session, step: Step, effects: Effects): void {
  switch (step.kind) {
    case "challenge":
      session.mode = "response";
      effects.push(`334 ${encodeBase64(step.octets)}\r\n`);
      return;
    case "credentials":
      session.exchange = undefined;
      session.waiting = "login";
      effects.push({ do: "login", credentials: step.credentials });
      return;
    case "failed":
      return fail(session, step.reason === "malformed" ? reply.badResponse : loginRefusals.refused, effects);
  }
}

/** Every exchange that came to nothing counts, so that none can go on for ever. */
function fail(session: Session, text: string, effects: Effects): void {
  session.exchange = undefined;
  session.failedLogins += 1;
  effects.push(text);
  if (session.failedLogins >= FAILED_LOGINS) close(session, reply.tooManyLogins, effects);
}

/** "=" is a response of no octets (RFC 4954 §4). */
function decodeInitial(initial: string): Uint8Array | undefined {
  return initial === "=" ? new Uint8Array(0) : decodeBase64(initial);
}
