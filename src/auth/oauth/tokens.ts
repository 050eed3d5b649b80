import type { Clock } from "../../lib/clock.ts";
import { err, ok, type Result } from "../../lib/result.ts";
import type { Secret } from "../../lib/secret.ts";
import type { Log } from "../../observe/log-port.ts";
import { judgeClaims, judgeIntrospected } from "./claims.ts";
import { createFetchJson, type JsonObject } from "./fetch-json.ts";
import { createIntrospection, type Introspection } from "./introspection.ts";
import { claimedIssuer, verifyJwt } from "./jwt.ts";
import { createProviderKeys, type ProviderKeys } from "./keys.ts";
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
  /** How long a provider may take to answer; given by tests only. */
  readonly deadlineMs?: number;
};

type Provider = {
  readonly config: ProviderConfig;
  readonly keys: ProviderKeys;
  readonly introspection: Introspection | undefined;
};

type Judged = Result<{ readonly username: string }, TokenRefusal>;

/**
 * Makes the judge of the tokens of these providers; without any it refuses all. A JWT is of the provider that it names and is
 * checked by that one's keys; any other token is shown to the providers that have an introspection endpoint, in their order.
 */
export function createTokens(configs: readonly ProviderConfig[], options: TokensOptions): Tokens {
  const { clock, log } = options;
  const providers = configs.map((config) => createProvider(config, options));

  function refuse(issuer: string, reason: string): Judged {
    log.info("oauth.refused", { issuer, reason });
    return err("refused");
  }

  function judge({ config }: Provider, claims: JsonObject): Judged {
    const judged = judgeClaims(config, claims);
    return judged.ok ? ok(judged.value) : refuse(config.issuer, judged.error);
  }

  async function judgeJwt(token: string, provider: Provider): Promise<Judged> {
    const verified = await verifyJwt(token, provider.config, provider.keys, clock);
    if (verified.ok) return judge(provider, verified.value);
    return verified.error.is === "refused" ? refuse(provider.config.issuer, verified.error.reason) : err("unavailable");
  }

  async function judgeOpaque(token: string): Promise<Judged> {
    let last: Judged = err("refused");
    let unavailable = false;
    for (const provider of providers) {
      const answer = await provider.introspection?.(token);
      if (answer === undefined) continue;
      const reason = answer.ok && judgeIntrospected(provider.config, answer.value, clock.now());
      if (answer.ok && reason === undefined) return judge(provider, answer.value);
      if (answer.ok) last = refuse(provider.config.issuer, String(reason));
      else unavailable = true;
    }
    // One that could not be asked may be the one that knows it.
    return unavailable ? err("unavailable") : last;
  }

  return {
    async verify(secret) {
      const token = secret.reveal();
      const issuer = await claimedIssuer(token);
      if (issuer === undefined) {
        const nobody = providers.every(({ introspection }) => introspection === undefined);
        return nobody ? refuse("", "it is no JWT of a provider") : judgeOpaque(token);
      }
      const provider = providers.find(({ config }) => config.issuer === issuer);
      return provider ? judgeJwt(token, provider) : refuse("", "it is of no configured issuer");
    },
  };
}

function createProvider(config: ProviderConfig, { clock, log, stopping, deadlineMs }: TokensOptions): Provider {
  const fetchJson = createFetchJson({ stopping, deadlineMs });
  const failed = (url: string, reason: string): void => {
    if (!stopping?.aborted) log.error("oauth.unavailable", { issuer: config.issuer, url, reason });
  };
  const parts = { fetchJson, clock, failed };
  return {
    config,
    keys: createProviderKeys(config, parts),
    introspection: config.introspection && createIntrospection(config.introspection, parts),
  };
}
