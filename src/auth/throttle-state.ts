import type { LRUCache } from "lru-cache";

/*
 * What one throttle tells another that begins. Threads have clocks of their own, so times are told as ages and waits.
 */

/** A count that runs back with time: of the accounts that failed from a network, of an account's trickle. */
export type Level = { value: number; at: number; until: number };

export type ToldLevel = {
  readonly key: string;
  readonly value: number;
  readonly ageMs: number;
  readonly waitMs: number;
};

export type ThrottleState = {
  readonly pairs: readonly {
    readonly key: string;
    readonly count: number;
    readonly ageMs: number;
    readonly waitMs: number;
    readonly fingerprints: readonly number[];
  }[];
  readonly known: readonly { readonly key: string; readonly ageMs: number }[];
  readonly networks: readonly ToldLevel[];
  readonly trickles: readonly ToldLevel[];
};

/** The entries used last, `limit` at most, the newest of them at the end: told in this order they are as new there. */
export function newest<V extends {}>(cache: LRUCache<string, V>, limit: number): [string, V][] {
  const entries: [string, V][] = [];
  for (const [key, value] of cache.entries()) {
    if (entries.length === limit) break;
    entries.push([key, value]);
  }
  return entries.toReversed();
}

/** A level as it is told at `now`. */
export function toldLevel([key, { value, at, until }]: [string, Level], now: number): ToldLevel {
  return { key, value, ageMs: now - at, waitMs: until - now };
}

/** A level as it is heard at `now`, by the hearer's clock. */
export function heardLevel({ value, ageMs, waitMs }: ToldLevel, now: number): Level {
  return { value, at: now - ageMs, until: now + waitMs };
}
