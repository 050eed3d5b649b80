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
