import type { Clock } from "../../lib/clock.ts";
import { err, type Result } from "../../lib/result.ts";
import type { Secret } from "../../lib/secret.ts";
import type { Log } from "../../observe/log-port.ts";
import type { ProviderConfig } from "./provider.ts";

/** "refused": the token is not good; "unavailable": the provider could not be asked, which says nothing of the token. */
export type TokenRefusal = "refused" | "unavailable";

/** Judges bearer tokens. */
export type Tokens = {
  /** `username`: what the configured claim holds, not looked up yet. */
  verify(token: Secret): Promise<Result<{ readonly username: string }, TokenRefusal>>;
};

export type TokensOptions = {
  readonly clock: Clock;
  readonly log: Log;
  /** Ends what is being fetched. */
  readonly stopping?: AbortSignal;
};

/** Makes the judge of the tokens of these providers; without any it refuses all. */
export function createTokens(_configs: readonly ProviderConfig[], _options: TokensOptions): Tokens {
  return { verify: () => Promise.resolve(err("refused")) };
}
