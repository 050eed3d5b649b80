import { decodeBase64, encodeBase64 } from "../../auth/engine/base64.ts";
import type { Exchange, Step } from "../../auth/engine/mechanism.ts";
import { beginExchange, findMechanism } from "../../auth/engine/mechanisms.ts";
import { OVERLONG, type Line } from "../../lib/lines.ts";
import { bad, judge } from "./authorization.ts";
import type { Effects } from "./effects.ts";
import { maySendPassword, type Authorization, type Session } from "./session.ts";
import { texts } from "./texts.ts";

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
  const mechanism = findMechanism(name);
  if (mechanism === undefined) return bad(session, state, effects, texts.mechanism);
  if (mechanism.clearSecret && !maySendPassword(session))
    return bad(session, state, effects, initial === undefined ? texts.needsTls : texts.passwordExposed);
  // `=` is an empty initial response (rule SASL-01).
  const response = initial === undefined ? undefined : decodeBase64(initial === "=" ? "" : initial);
  if (initial !== undefined && response === undefined) return bad(session, state, effects, texts.badBase64);
  const { exchange, step } = beginExchange(mechanism, response);
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
  if (line === "*") return effects.error(texts.cancelled);
  if (line === OVERLONG) return bad(session, state, effects, texts.lineTooLong);
  const response = decodeBase64(line);
  if (response === undefined) return bad(session, state, effects, texts.badBase64);
  proceed(session, state, exchange, exchange.step(response), effects);
}

function proceed(session: Session, state: Authorization, exchange: Exchange, step: Step, effects: Effects): void {
  switch (step.kind) {
    case "challenge":
      state.exchange = exchange;
      // An empty challenge keeps its space (rule SASL-02).
      effects.text += `+ ${encodeBase64(step.octets)}\r\n`;
      return;
    case "credentials":
      return judge(session, step.credentials, effects);
    case "failed":
      if (step.reason === "malformed") bad(session, state, effects, texts.badExchange);
      else effects.error(texts.credentials, "AUTH");
  }
}
