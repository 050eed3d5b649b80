import { login } from "./login.ts";
import type { Exchange, Mechanism, Step } from "./mechanism.ts";
import { plain } from "./plain.ts";

/** Every SASL mechanism, in the order in which they are announced; one row each. */
export const mechanisms: readonly Mechanism[] = [plain, login];

/** Those that may be announced and used now: a secret crosses the wire only where `clearSecrets` allows it (SASL-06). */
export function usableMechanisms(clearSecrets: boolean): readonly Mechanism[] {
  return clearSecrets ? mechanisms : mechanisms.filter((mechanism) => !mechanism.clearSecret);
}

/** The mechanism of that name, in any case. */
export function findMechanism(name: string): Mechanism | undefined {
  const upper = name.toUpperCase();
  return mechanisms.find((mechanism) => mechanism.name === upper);
}

/** An exchange that has begun and what its first message led to. */
export type Begun = { readonly exchange: Exchange; readonly step: Step };

const EMPTY = new Uint8Array(0);

/** Begins an exchange, with the initial response where AUTH carried one (RFC 5034 §4, RFC 4954 §4; rule SASL-01). */
export function beginExchange(mechanism: Mechanism, initial: Uint8Array | undefined): Begun {
  const exchange = mechanism.begin();
  if (initial === undefined) {
    const step: Step = mechanism.serverFirst ? exchange.step(EMPTY) : { kind: "challenge", octets: EMPTY };
    return { exchange, step };
  }
  if (mechanism.serverFirst && mechanism.toleratesInitial !== true)
    return { exchange, step: { kind: "failed", reason: "malformed" } };
  return { exchange, step: exchange.step(initial) };
}
