import { usableMechanisms } from "../../auth/engine/mechanisms.ts";
import type { Effects } from "./effects.ts";
import { printable } from "./reply.ts";
import { maySendPassword, type Session } from "./session.ts";

/**
 * One row a capability, in the order of CAPA's answer; undefined: not announced now. All of them are announced in both
 * states, so that a client that asks once knows all (rule 2449-03), but STLS, which ends with AUTHORIZATION.
 */
const capabilities: readonly ((session: Session) => string | undefined)[] = [
  () => "TOP",
  () => "UIDL",
  (session) => (maySendPassword(session) ? "USER" : undefined),
  () => "RESP-CODES",
  () => "AUTH-RESP-CODE",
  () => "PIPELINING",
  (session) =>
    session.policy.stlsPossible && !session.tls && session.state.phase === "authorization" ? "STLS" : undefined,
  sasl,
  (session) => `IMPLEMENTATION ${printable(session.policy.implementation)}`,
];

/** CAPA (RFC 2449 §5); differs by the state of TLS (rule 2449-04). */
export function capa(session: Session, effects: Effects): void {
  effects.ok("");
  for (const capability of capabilities) {
    const line = capability(session);
    if (line !== undefined) effects.text += `${line}\r\n`;
  }
  effects.text += ".\r\n";
}

// No mechanism that shows the password is offered in clear text (rule SASL-06).
function sasl(session: Session): string | undefined {
  const names = usableMechanisms(maySendPassword(session)).map(({ name }) => name);
  return names.length === 0 ? undefined : `SASL ${names.join(" ")}`;
}
