import type { Channel, MechanismPolicy } from "./channel.ts";
import { external } from "./external.ts";
import { login } from "./login.ts";
import type { Exchange, Mechanism, Step } from "./mechanism.ts";
import { oauthbearer } from "./oauthbearer.ts";
import { plain } from "./plain.ts";
import { scram } from "./scram.ts";
import { xoauth2 } from "./xoauth2.ts";

/**
 * Every SASL mechanism, in the order in which they are announced; one row each. A client that takes the first it knows
 * gets the best it can do: its certificate, a proof bound to the connection, a proof, the password itself. Whoever has a
 * token knows that it has.
 */
export const mechanisms: readonly Mechanism[] = [
  external,
  scram("sha256", "bound"),
  scram("sha1", "bound"),
  scram("sha256", "bare"),
  scram("sha1", "bare"),
  plain,
  login,
  oauthbearer,
  xoauth2,
];

const PLUS = "-PLUS";

/** Whether it is taken now. None is without TLS, unless the configuration lets logins cross in clear text. */
export function isUsable(mechanism: Mechanism, policy: MechanismPolicy, channel: Channel): boolean {
  return (channel.secure || policy.allowCleartext) && mechanism.usable(policy, channel);
}

/** Those that are announced now (rule SASL-06). */
export function usableMechanisms(policy: MechanismPolicy, channel: Channel): readonly Mechanism[] {
  return mechanisms.filter((mechanism) => isAnnounced(mechanism, policy, channel));
}

function isAnnounced(mechanism: Mechanism, policy: MechanismPolicy, channel: Channel): boolean {
  if (policy.bindingUnannounced === true && mechanism.name.endsWith(PLUS)) return false;
  return isUsable(mechanism, policy, channel);
}

/** The mechanism of that name, in any case; whether it is usable now is asked for itself. */
export function findMechanism(name: string): Mechanism | undefined {
  const upper = name.toUpperCase();
  return mechanisms.find((mechanism) => mechanism.name === upper);
}

/** An exchange that has begun and what its first message led to. */
export type Begun = { readonly exchange: Exchange; readonly step: Step };

const EMPTY = new Uint8Array(0);

/** Begins an exchange, with the initial response where AUTH carried one (RFC 5034 §4, RFC 4954 §4; rule SASL-01). */
export function beginExchange(
  mechanism: Mechanism,
  initial: Uint8Array | undefined,
  policy: MechanismPolicy,
  channel: Channel,
): Begun {
  const plus = findMechanism(`${mechanism.name}${PLUS}`);
  const exchange = mechanism.begin(channel, plus !== undefined && isAnnounced(plus, policy, channel), policy);
  if (initial === undefined) {
    const step: Step = mechanism.serverFirst ? exchange.step(EMPTY) : { kind: "challenge", octets: EMPTY };
    return { exchange, step };
  }
  if (mechanism.serverFirst && mechanism.toleratesInitial !== true)
    return { exchange, step: { kind: "failed", reason: "malformed" } };
  return { exchange, step: exchange.step(initial) };
}
