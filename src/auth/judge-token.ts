import { err, ok, type Result } from "../lib/result.ts";
import type { Secret } from "../lib/secret.ts";
import type { Domain } from "../model/address.ts";
import type { ClientCertificate } from "../model/peer.ts";
import type { Attempt } from "./attempt.ts";
import type { Credentials } from "./engine/credentials.ts";
import { type InTurn, notJudged, type Verdict } from "./judgement.ts";
import { findNamed, findVouched, type Names } from "./name.ts";

/** Judges bearer tokens; `username` is whom a good one names, not looked up yet. */
export type TokenJudge = {
  verify(token: Secret): Promise<Result<{ readonly username: string }, "refused" | "unavailable">>;
};

export type NamingOptions = {
  readonly directory: Names;
  readonly defaultDomain: () => Domain | undefined;
  /** Undefined: no token is taken. */
  readonly tokens: () => TokenJudge | undefined;
  /** Whom a certificate names; `user`: whom the client wants to be, "" where it does not say. undefined: nobody. */
  readonly certificateName: (certificate: ClientCertificate, user: string) => string | undefined;
};

/** Makes the judge of what names its owner by itself: tokens and certificates. */
export function createNamingJudge(
  options: NamingOptions,
  inTurn: InTurn,
): (credentials: Extract<Credentials, { kind: "token" | "certificate" }>, attempt: Attempt) => Promise<Verdict> {
  const { directory, defaultDomain } = options;

  /** The account of the name, as the maildrop that the client asked for, if it asked for one of this account's. */
  async function actAs(owner: string, user: string, attempt: Attempt): Promise<Verdict> {
    const named = await findVouched(owner, defaultDomain(), directory);
    if (!named) return { is: "wrong", named, reason: "unknown" };
    if (user === "") return { is: "right", named, appPassword: undefined };
    const wanted = attempt.name && (await findNamed(attempt.name, directory));
    // Nobody acts for another here.
    if (wanted?.account.id !== named.account.id) return { is: "wrong", named, reason: "another user" };
    return { is: "right", named: wanted, appPassword: undefined };
  }

  return async (credentials, attempt) => {
    const { user } = credentials;
    const owner = await inTurn(attempt, () => ownerOf(credentials, attempt, options));
    if (!owner.ok) return notJudged(owner.error, undefined);
    if (owner.value !== undefined) return actAs(owner.value, user, attempt);
    return { is: "wrong", named: undefined, reason: credentials.kind === "token" ? "wrong token" : "no certificate" };
  };
}

async function ownerOf(
  credentials: Extract<Credentials, { kind: "token" | "certificate" }>,
  { client }: Attempt,
  { tokens, certificateName }: NamingOptions,
): Promise<Result<string | undefined, string>> {
  if (credentials.kind === "certificate")
    return ok(client.certificate && certificateName(client.certificate, credentials.user));
  const verified = await tokens()?.verify(credentials.token);
  if (verified?.ok) return ok(verified.value.username);
  return verified?.error === "unavailable" ? err("the token could not be checked") : ok(undefined);
}
