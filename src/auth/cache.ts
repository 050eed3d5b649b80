import type { Clock } from "../lib/clock.ts";
import type { Secret } from "../lib/secret.ts";
import type { AccountId } from "../model/ids.ts";

/** Remembers which passwords were right, so that a repeated login costs no hash; a changed secret makes it forget. */
export type VerificationCache = {
  has(account: AccountId, stored: string, password: Secret): boolean;
  add(account: AccountId, stored: string, password: Secret): void;
};

export type VerificationCacheOptions = {
  /** 32 random octets of this process. */
  readonly key: Uint8Array;
  readonly clock: Clock;
};

/** Makes an empty cache. */
export function createVerificationCache(options: VerificationCacheOptions): VerificationCache {
  throw new Error(`not built yet: ${options.key.length}`);
}
