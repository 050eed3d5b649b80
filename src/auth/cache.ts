import { createHmac, timingSafeEqual } from "node:crypto";
import { LRUCache } from "lru-cache";
import type { Clock } from "../lib/clock.ts";
import type { Secret } from "../lib/secret.ts";
import type { AccountId } from "../model/ids.ts";

const ENTRIES = 10_000;
const TTL_MS = 60 * 60 * 1000;

/**
 * Remembers which passwords were right, so that a repeated login costs no hash. The stored secret is part of what is
 * remembered: a changed one makes it forget. Failures are never remembered.
 */
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
export function createVerificationCache({ key, clock }: VerificationCacheOptions): VerificationCache {
  const codes = new LRUCache<AccountId, Buffer>({
    max: ENTRIES,
    ttl: TTL_MS,
    // Zero: ask the clock each time; a timer that keeps the time would be one more thing to end.
    ttlResolution: 0,
    perf: { now: clock.monotonic },
  });
  return {
    has(account, stored, password) {
      const known = codes.get(account);
      return known !== undefined && timingSafeEqual(known, code(key, account, stored, password));
    },
    add(account, stored, password) {
      codes.set(account, code(key, account, stored, password));
    },
  };
}

/** The lengths keep a piece of one part from being taken for a piece of the next. */
function code(key: Uint8Array, account: AccountId, stored: string, password: Secret): Buffer {
  const text = password.reveal();
  return createHmac("sha256", key).update(`${account} ${stored.length} ${text.length} ${stored}${text}`).digest();
}
