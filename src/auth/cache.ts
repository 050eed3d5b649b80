import { createHmac, timingSafeEqual } from "node:crypto";
import { LRUCache } from "lru-cache";
import type { Clock } from "../lib/clock.ts";
import type { Result } from "../lib/result.ts";
import type { Secret } from "../lib/secret.ts";

const ENTRIES = 10_000;
const TTL_MS = 60 * 60 * 1000;

/**
 * Remembers which passwords were right, so that a repeated login costs no hash. The stored secret is part of what is
 * remembered: a changed one makes it forget. Failures are never remembered.
 */
export type VerificationCache = {
  /** Whether this was found right before. */
  has(name: string, stored: string, password: Secret): boolean;
  /** Asks, and remembers a yes. Who asks the very same while the answer is awaited gets that answer. */
  ask<E>(
    name: string,
    stored: string,
    password: Secret,
    question: () => Promise<Result<boolean, E>>,
  ): Promise<Result<boolean, E>>;
  /** A number by which a password is known again, and nothing else about it. */
  fingerprint(password: Secret): number;
};

export type VerificationCacheOptions = {
  /** 32 random octets of this process. */
  readonly key: Uint8Array;
  readonly clock: Clock;
};

/** Makes an empty cache. */
export function createVerificationCache({ key, clock }: VerificationCacheOptions): VerificationCache {
  const codes = new LRUCache<string, Buffer>({
    max: ENTRIES,
    ttl: TTL_MS,
    // Zero: ask the clock each time; a timer that keeps the time would be one more thing to end.
    ttlResolution: 0,
    perf: { now: clock.monotonic },
  });
  const asked = new Map<string, Promise<Result<boolean, unknown>>>();
  return {
    has(name, stored, password) {
      const known = codes.get(name);
      return known !== undefined && timingSafeEqual(known, code(key, name, stored, password));
    },
    async ask<E>(name: string, stored: string, password: Secret, question: () => Promise<Result<boolean, E>>) {
      const own = code(key, name, stored, password);
      const id = own.toString("base64");
      const before = asked.get(id);
      if (before) return before as Promise<Result<boolean, E>>;
      const answer = question();
      asked.set(id, answer);
      try {
        const right = await answer;
        if (right.ok && right.value) codes.set(name, own);
        return right;
      } finally {
        asked.delete(id);
      }
    },
    fingerprint: (password) => createHmac("sha256", key).update(password.reveal()).digest().readUInt32LE(0),
  };
}

/** The lengths keep a piece of one part from being taken for a piece of the next. */
function code(key: Uint8Array, name: string, stored: string, password: Secret): Buffer {
  const text = password.reveal();
  return createHmac("sha256", key)
    .update(`${name.length} ${stored.length} ${text.length} ${name}${stored}${text}`)
    .digest();
}
