import { availableParallelism } from "node:os";
import { createVerificationCache } from "../auth/cache.ts";
import { certificateName } from "../auth/certificate-name.ts";
import { createPlaceNotes } from "../auth/known-places.ts";
import { createLogin, type Login } from "../auth/login.ts";
import { createTokens, type Tokens } from "../auth/oauth/tokens.ts";
import { createPasswords } from "../auth/password.ts";
import { createScramLearner } from "../auth/scram-learner.ts";
import { createScram, type Scram } from "../auth/scram.ts";
import { deriveHouseKeys } from "../auth/secret-key.ts";
import { shareThrottle } from "../auth/shared-throttle.ts";
import { createThrottle } from "../auth/throttle.ts";
import { createAppPasswordUses } from "../auth/uses.ts";
import type { Config } from "../config/schema.ts";
import type { Clock } from "../lib/clock.ts";
import type { Log } from "../observe/log-port.ts";
import type { Metrics } from "../observe/metrics-port.ts";
import type { Store } from "../store/ports.ts";

export type LoginParts = {
  readonly config: () => Config;
  readonly store: Pick<Store, "directory" | "devices">;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly threads: number;
  readonly cacheKey: Uint8Array;
  /** What lies in the data folder's secrets.key. */
  readonly secretKey: Uint8Array;
};

/** How logins of one thread are decided; disposing writes what was noted of them. */
export type LoginHouse = AsyncDisposable & {
  readonly login: Login;
  readonly scram: Scram;
  /** Ends the waits of refused logins, and what is asked of identity providers. */
  stop(): void;
};

/** Wires what decides a login: throttle, passwords, proofs, tokens, certificates, and the notes that are taken of it. */
export function buildLogin(parts: LoginParts): LoginHouse {
  const { config, store, log, metrics, clock, threads } = parts;
  const { directory, devices } = store;
  const stopping = new AbortController();
  const keys = deriveHouseKeys(parts.secretKey);
  const passwords = createPasswords({
    metrics,
    concurrency: Math.max(1, Math.floor(availableParallelism() / threads)),
    queue: Math.max(1, Math.floor(config().limits.loginQueue / threads)),
  });
  const throttle = shareThrottle(createThrottle());
  const places = createPlaceNotes({ devices, log });
  const uses = createAppPasswordUses({ devices, log });
  const learner = createScramLearner({ directory, passwords, keys });
  const defaultDomain = () => config().auth.defaultDomain;
  const login = createLogin({
    directory,
    devices,
    passwords,
    keys,
    throttle,
    cache: createVerificationCache({ key: parts.cacheKey, clock }),
    places,
    uses,
    learner,
    tokens: tokensOf(config, (providers) => createTokens(providers, { clock, log, stopping: stopping.signal })),
    certificateName: (certificate, user) =>
      certificateName(certificate, config().auth.clientCertificates?.username ?? "email", user),
    requireAppPassword: () => config().auth.requireAppPassword,
    defaults: () => ({
      expireDays: config().retention.expireDays,
      loginDelaySeconds: config().limits.pop3LoginDelaySeconds,
    }),
    defaultDomain,
    clock,
    log,
    metrics,
    stopping: stopping.signal,
  });
  return {
    login,
    scram: createScram({ directory, keys, defaultDomain }),
    stop: () => stopping.abort(),
    [Symbol.asyncDispose]: async () => {
      stopping.abort();
      throttle[Symbol.dispose]();
      await Promise.all([places, uses, learner].map((notes) => notes[Symbol.asyncDispose]()));
      await passwords[Symbol.asyncDispose]();
    },
  };
}

/** The judge of tokens, made again when a reload changed the providers; undefined while there is none. */
function tokensOf(
  config: () => Config,
  make: (providers: Config["auth"]["oauth"]) => Tokens,
): () => Tokens | undefined {
  let made: { readonly of: Config["auth"]["oauth"]; readonly tokens: Tokens } | undefined;
  return () => {
    const { oauth } = config().auth;
    if (oauth.length === 0) return undefined;
    if (made?.of !== oauth) made = { of: oauth, tokens: make(oauth) };
    return made.tokens;
  };
}
