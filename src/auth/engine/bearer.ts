import { Secret } from "../../lib/secret.ts";
import type { MechanismPolicy } from "./channel.ts";
import { type Exchange, type Step, type Verdict } from "./mechanism.ts";

/** The longest token that is taken, in octets. */
export const TOKEN_OCTETS = 16_384;

/** What a client's one message holds: for whom, and the token; undefined where it shows no token that could be one. */
export type BearerMessage = { readonly user: string; readonly token: string | undefined };

// RFC 6750 §2.1: one space, and a b64token. The scheme's case does not matter (RFC 7628 §4).
const BEARER = /^bearer ([\w\-.~+/]+=*)$/i;
const REFUSED: Step = { kind: "failed", reason: "refused" };

/** What every failure says besides its status: what to ask for, and of whom. */
export function hintOf(policy: MechanismPolicy | undefined): object {
  const { scope, openidConfiguration } = policy?.bearerHint ?? {};
  return {
    ...(scope === undefined ? {} : { scope }),
    ...(openidConfiguration === undefined ? {} : { "openid-configuration": openidConfiguration }),
  };
}

/** The token of an authorization; undefined: of another scheme, empty, too long or no token's characters. */
export function tokenOf(authorization: string): string | undefined {
  const token = BEARER.exec(authorization)?.[1];
  return token !== undefined && token.length <= TOKEN_OCTETS ? token : undefined;
}

/**
 * The key/value pairs between two %x01 (RFC 7628 §3.1: `key=value %x01`, and one more %x01 at the end), as a map;
 * undefined: not of that form, or a key comes twice, of which nobody can say which one counts.
 */
export function readPairs(text: string): ReadonlyMap<string, string> | undefined {
  if (text === "\x01") return new Map();
  if (!text.endsWith("\x01\x01")) return undefined;
  const pairs = new Map<string, string>();
  for (const pair of text.slice(0, -2).split("\x01")) {
    const [, key, value] = PAIR.exec(pair) ?? [];
    if (key === undefined || value === undefined || pairs.has(key)) return undefined;
    pairs.set(key, value);
  }
  return pairs;
}

const PAIR = /^([A-Za-z]+)=([\t\n\r\x20-\x7e]*)$/;

/**
 * The exchange of both bearer mechanisms: one message; of a token that was refused the client is told as JSON in a
 * challenge, and its next message, whatever it holds, ends the exchange (rule OAUTH-01).
 */
export class BearerExchange implements Exchange {
  readonly #mechanism: string;
  readonly #read: (text: string) => BearerMessage | undefined;
  readonly #failure: Uint8Array;
  #told = false;

  constructor(mechanism: string, read: (text: string) => BearerMessage | undefined, failure: object) {
    this.#mechanism = mechanism;
    this.#read = read;
    this.#failure = Buffer.from(JSON.stringify(failure));
  }

  step(response: Uint8Array): Step {
    if (this.#told) return REFUSED;
    const message = this.#read(
      Buffer.from(response.buffer, response.byteOffset, response.byteLength).toString("latin1"),
    );
    if (message === undefined) return { kind: "failed", reason: "malformed" };
    const { user, token } = message;
    if (token === undefined) {
      // A client may ask in this way what it needs (RFC 7628 §4.3).
      this.#told = true;
      return { kind: "challenge", octets: this.#failure };
    }
    const credentials = { kind: "token", mechanism: this.#mechanism, user, token: new Secret(token) } as const;
    return { kind: "credentials", credentials };
  }

  concluded(verdict: Verdict): Uint8Array | undefined {
    return verdict.ok ? undefined : this.#failure;
  }
}
