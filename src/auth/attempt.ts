import { Secret } from "../lib/secret.ts";
import type { Domain } from "../model/address.ts";
import type { Scope } from "../model/device.ts";
import { type Client, networkOf } from "../model/peer.ts";
import type { VerificationCache } from "./cache.ts";
import type { Credentials } from "./engine/credentials.ts";
import type { LoginDoor } from "./login-report.ts";
import { type Name, type Names, readName } from "./name.ts";

/** A login that is being judged, whatever its credentials are. */
export type Attempt = {
  readonly client: Client;
  readonly network: string;
  readonly scope: Scope;
  /** As the client gave it; undefined: no address, or none given. */
  readonly name: Name | undefined;
  /** What failures are counted by. */
  readonly key: string;
};

export type AttemptOptions = {
  readonly directory: Pick<Names, "domains">;
  /** `auth.default_domain`; asked at each login, so that a reload takes hold. */
  readonly defaultDomain: () => Domain | undefined;
  readonly cache: Pick<VerificationCache, "fingerprint">;
};

const NOT_AN_ADDRESS = "(not an address)";

/** Reads who wants to log in, from where, for what. */
export async function readAttempt(
  credentials: Credentials,
  client: Client,
  { protocol }: LoginDoor,
  { directory, defaultDomain, cache }: AttemptOptions,
): Promise<Attempt> {
  const { kind, user } = credentials;
  const name = await readName(user, defaultDomain(), directory);
  const scope = protocol === "pop3" ? "pop3" : "smtp";
  const network = networkOf(client.peer);
  if (name !== undefined) return { client, network, scope, name, key: name.parts.base };
  // A token or certificate that names nobody is counted by itself: others that come without a name are not slowed by it.
  const unnamed = user === "" && (kind === "token" || kind === "certificate");
  const key = unnamed ? `(${kind}) ${numberOf(credentials, client, cache)}` : NOT_AN_ADDRESS;
  return { client, network, scope, name, key };
}

function numberOf(credentials: Credentials, { certificate }: Client, cache: AttemptOptions["cache"]): number {
  if (credentials.kind !== "certificate") return fingerprintOf(credentials, cache);
  return cache.fingerprint(new Secret(JSON.stringify(certificate ?? null)));
}

/** A number by which the same credential is known again, and nothing else about it. */
export function fingerprintOf(credentials: Credentials, cache: Pick<VerificationCache, "fingerprint">): number {
  if (credentials.kind === "password") return cache.fingerprint(credentials.password);
  if (credentials.kind === "token") return cache.fingerprint(credentials.token);
  if (credentials.kind === "certificate") return cache.fingerprint(new Secret(credentials.user));
  // Each exchange has a nonce of its own, so an old password cannot be known again: each proof is one more guess.
  const { message, proof } = credentials;
  return cache.fingerprint(new Secret(Buffer.concat([message, proof]).toString("latin1")));
}
