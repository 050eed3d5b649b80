import type { BearerHint } from "../engine/channel.ts";

/** One identity provider whose tokens are taken (`auth.oauth`). */
export type ProviderConfig = {
  /** As the provider writes it in `iss`, to the letter. */
  readonly issuer: string;
  readonly audience: string;
  /** The claim that holds the account's address. */
  readonly usernameClaim: string;
  /** Where its keys are; undefined: its discovery document says so. */
  readonly jwksUri?: string | undefined;
  /** Whom to ask of tokens that are no JWT (RFC 7662). */
  readonly introspection?:
    { readonly url: string; readonly clientId: string; readonly clientSecret: string } | undefined;
  /** What a token must be good for; several are parted by spaces, and all are needed. */
  readonly scope?: string | undefined;
};

/** What clients are told of where to get a token; undefined where there is no provider, or several. */
export function bearerHint(configs: readonly ProviderConfig[]): BearerHint | undefined {
  const [only, ...others] = configs;
  if (only === undefined || others.length > 0) return undefined;
  const openidConfiguration = discoveryUrl(only.issuer);
  return only.scope === undefined ? { openidConfiguration } : { scope: only.scope, openidConfiguration };
}

/** OpenID Connect Discovery §4.1: a final slash of the issuer is not written twice. */
export function discoveryUrl(issuer: string): string {
  return `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
}
