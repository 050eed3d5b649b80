import { decodeBase64, encodeBase64 } from "../../auth/engine/base64.ts";
import type { Exchange, ScramFacts, Step } from "../../auth/engine/mechanism.ts";
import { beginExchange, findMechanism, isUsable } from "../../auth/engine/mechanisms.ts";
import { OVERLONG, type Line } from "../../lib/lines.ts";
import { bad } from "./authorization.ts";
import type { Effects } from "./effects.ts";
import { judge, open, refuse } from "./login.ts";
import { maySendPassword, type Authorization, type Conclusion, type Session } from "./session.ts";

// The server would have to know the password itself; no mechanism of ours does (RFC 2195 §2, RFC 2831).
const NEEDS_READABLE_SECRETS = /^(?:CRAM|DIGEST)-MD5$/i;

/**
 * AUTH (RFC 5034 §4). Without a mechanism it is a wrong command: some servers list mechanisms then, but the RFC knows no
 * such form, and CAPA does it.
 */
export function auth(
  session: Session,
  state: Authorization,
  [name = "", initial]: readonly string[],
  effects: Effects,
): void {
  const { texts, announced, channel } = session;
  const mechanism = findMechanism(name);
  if (mechanism === undefined)
    return bad(session, state, effects, NEEDS_READABLE_SECRETS.test(name) ? texts.readableSecrets : texts.mechanism);
  if (!maySendPassword(session)) {
    const exposed = mechanism.clearSecret && initial !== undefined;
    return bad(session, state, effects, exposed ? texts.passwordExposed : texts.needsTls);
  }
  if (!isUsable(mechanism, announced.mechanisms, channel)) return bad(session, state, effects, texts.mechanism);
  // `=` is an empty initial response (rule SASL-01).
  const response = initial === undefined ? undefined : decodeBase64(initial === "=" ? "" : initial);
  if (initial !== undefined && response === undefined) return bad(session, state, effects, texts.badBase64);
  const { exchange, step } = beginExchange(mechanism, response, announced.mechanisms, channel);
  proceed(session, state, exchange, step, effects);
}

/** A line that came while an exchange is under way: the client's response, or `*` (rule SASL-02). */
export function respond(
  session: Session,
  state: Authorization,
  exchange: Exchange,
  line: Line,
  effects: Effects,
): void {
  // Whatever the end of an exchange, the session is as if AUTH had not been sent.
  state.exchange = undefined;
  const response = responseOf(session, state, line, effects);
  if (response !== undefined) proceed(session, state, exchange, exchange.step(response), effects);
}

/** What the exchange asked for has come. */
export function answered(session: Session, exchange: Exchange, facts: ScramFacts, effects: Effects): void {
  if (session.state.phase !== "authorization" || exchange.answered === undefined) return;
  proceed(session, session.state, exchange, exchange.answered(facts), effects);
}

/**
 * The line by which the client says that it has heard the verdict: empty, or whatever its mechanism sends (RFC 7628 §3.2.3).
 * A client that cancels has not believed the server, so nobody is logged in.
 */
export function hearLast(
  session: Session,
  state: Authorization,
  { person }: Conclusion,
  line: Line,
  effects: Effects,
): void {
  state.conclusion = undefined;
  // The credentials were wrong, and are so whatever comes now (rule 3206-01).
  if (person === undefined) return refuse(session, effects);
  if (responseOf(session, state, line, effects) !== undefined) open(session, person, effects);
}

function responseOf(session: Session, state: Authorization, line: Line, effects: Effects): Uint8Array | undefined {
  const { texts } = session;
  // Counted like a wrong command, or an AUTH could begin without end.
  if (line === "*") bad(session, state, effects, texts.cancelled);
  else if (line === OVERLONG) bad(session, state, effects, texts.lineTooLong);
  else {
    const response = decodeBase64(line);
    if (response === undefined) bad(session, state, effects, texts.badBase64);
    return response;
  }
  return undefined;
}

function proceed(session: Session, state: Authorization, exchange: Exchange, step: Step, effects: Effects): void {
  switch (step.kind) {
    case "challenge":
      state.exchange = exchange;
      // An empty challenge keeps its space (rule SASL-02).
      effects.text += `+ ${encodeBase64(step.octets)}\r\n`;
      return;
    case "question":
      session.awaited = { kind: "answered", exchange };
      effects.action = { kind: "ask", question: step.question };
      return;
    case "credentials":
      return judge(session, step.credentials, exchange, effects);
    case "failed":
      if (step.reason === "malformed") bad(session, state, effects, session.texts.badExchange);
      else refuse(session, effects);
  }
}
