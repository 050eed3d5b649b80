import type { JWTVerifyGetKey } from "jose";
import type { Clock } from "../../lib/clock.ts";
import { err, ok, type Result } from "../../lib/result.ts";
import type { FetchJson } from "./fetch-json.ts";
import { discoveryUrl, type ProviderConfig } from "./provider.ts";

/** The keys by which one provider signs, as far as they are known here. */
export type ProviderKeys = {
  /** Those at hand, or fetched. */
  current(): Promise<Result<JWTVerifyGetKey, "unavailable">>;
  /** For a key that is not among them: they are fetched again, but seldom. The same ones: there is nothing new. */
  again(): Promise<Result<JWTVerifyGetKey, "unavailable">>;
};

export type KeysOptions = {
  readonly fetchJson: FetchJson;
  readonly clock: Clock;
  /** Told what could not be had. */
  readonly failed: (url: string, reason: string) => void;
};

/** Where something was sought, and why it was not had. */
type Failure = { readonly url: string; readonly reason: string };

const MINUTE = 60_000;
const REFRESH_MS = 10 * MINUTE;
/** A provider that is away takes nobody's mail away while its keys are known. */
const KEEP_MS = 24 * 60 * MINUTE;
const DISCOVER_MS = 60 * MINUTE;
/** A provider that fails is let alone for so long. */
const PAUSE_MS = 10_000;
/** Whoever sends tokens of unknown keys makes us ask so often at once, and then once in each pause. */
const AGAIN_AT_ONCE = 3;

/** Keeps the keys of one provider, found by its configuration or its discovery document. */
export function createProviderKeys(config: ProviderConfig, options: KeysOptions): ProviderKeys {
  const { clock } = options;
  const fetchKeys = createFetchKeys(config, options);
  let known: { readonly keys: JWTVerifyGetKey; readonly at: number } | undefined;
  let failedAt = -Infinity;
  let left = { again: AGAIN_AT_ONCE, at: clock.monotonic() };
  let fetching: Promise<boolean> | undefined;

  async function refresh(): Promise<boolean> {
    const fetched = await fetchKeys();
    if (fetched.ok) known = { keys: fetched.value, at: clock.monotonic() };
    else {
      failedAt = clock.monotonic();
      options.failed(fetched.error.url, fetched.error.reason);
    }
    return fetched.ok;
  }

  /** Whether they were fetched; those who ask at the same time share one answer. */
  async function fetchOnce(): Promise<boolean> {
    if (!fetching && clock.monotonic() - failedAt < PAUSE_MS) return false;
    fetching ??= refresh().finally(() => {
      fetching = undefined;
    });
    return fetching;
  }

  function mayAskAgain(): boolean {
    const now = clock.monotonic();
    const again = Math.min(AGAIN_AT_ONCE, left.again + (now - left.at) / PAUSE_MS);
    left = { again: again < 1 ? again : again - 1, at: now };
    return again >= 1;
  }

  function atHand(within: number): Result<JWTVerifyGetKey, "unavailable"> {
    return known && clock.monotonic() - known.at < within ? ok(known.keys) : err("unavailable");
  }

  return {
    async current() {
      const fresh = atHand(REFRESH_MS);
      if (fresh.ok) return fresh;
      await fetchOnce();
      return atHand(KEEP_MS);
    },
    async again() {
      if (!fetching && !mayAskAgain()) return atHand(KEEP_MS);
      return (await fetchOnce()) ? atHand(KEEP_MS) : err("unavailable");
    },
  };
}

/** Makes what fetches a provider's keys, and finds where they are first. */
function createFetchKeys(
  config: ProviderConfig,
  { fetchJson, clock }: KeysOptions,
): () => Promise<Result<JWTVerifyGetKey, Failure>> {
  let place: { readonly uri: string; readonly at: number } | undefined;

  async function keysUri(): Promise<Result<string, Failure>> {
    if (config.jwksUri !== undefined) return ok(config.jwksUri);
    if (place && clock.monotonic() - place.at < DISCOVER_MS) return ok(place.uri);
    const found = await discover(config, fetchJson);
    if (found.ok) place = { uri: found.value, at: clock.monotonic() };
    return found;
  }

  return async () => {
    const uri = await keysUri();
    if (!uri.ok) return uri;
    const answer = await fetchJson(uri.value);
    const keys = answer.ok ? await readKeys(answer.value["keys"]) : err(answer.error);
    if (keys.ok) return keys;
    // It may have moved.
    place = undefined;
    return err({ url: uri.value, reason: keys.error });
  };
}

async function discover({ issuer }: ProviderConfig, fetchJson: FetchJson): Promise<Result<string, Failure>> {
  const url = discoveryUrl(issuer);
  const document = await fetchJson(url);
  if (!document.ok) return err({ url, reason: document.error });
  // OpenID Connect Discovery §4.3: else one provider could speak for another.
  if (document.value["issuer"] !== issuer) return err({ url, reason: "it is the document of another issuer" });
  const uri = document.value["jwks_uri"];
  return typeof uri === "string" ? ok(uri) : err({ url, reason: "it names no jwks_uri" });
}

async function readKeys(keys: unknown): Promise<Result<JWTVerifyGetKey, string>> {
  const { createLocalJWKSet, errors } = await import("jose");
  try {
    return ok(createLocalJWKSet({ keys: keys as never }));
  } catch (cause) {
    if (cause instanceof errors.JWKSInvalid) return err("it is no set of keys");
    throw cause;
  }
}
