import { LRUCache } from "lru-cache";
import { placeOf } from "../model/peer.ts";
import { heardLevel, type Level, newest, type ThrottleState, toldLevel } from "./throttle-state.ts";

/** A wait that has just begun, for whom and how long. */
export type Block = { readonly of: "account" | "network"; readonly seconds: number };

/**
 * Slows down who guesses passwords. Three rules:
 * - an account from one network: five wrong passwords are free, then each one doubles the wait. A device that repeats
 *   one old password is no guesser: it waits a second each time and no more, and where its owner is known not at all, since
 *   another device of the owner's may be right there;
 * - a network: by the number of different accounts that failed from it, so that a forgetful device behind a company's
 *   address does not lock out its neighbours;
 * - an account from all networks together: a trickle of attempts, to which a network with a recent success is not held,
 *   so that guessers from everywhere neither get far nor lock the owner out.
 * Pure: the caller brings the time (ms that only grow). Memory is bounded: what was used least recently is forgotten.
 */
export type Throttle = {
  /** Seconds to wait before this account may be tried from this network; 0: go on. */
  wait(name: string, network: string, now: number): number;
  /** Takes a place for a check that is dear; false: too many of them already run. */
  begin(name: string, network: string, now: number): boolean;
  /** Gives the place of `begin` back, whatever the outcome. */
  done(name: string, network: string): void;
  /**
   * Notes a wrong password; `fingerprint` tells whether it is the same one again. `proxied`: a proxy named the peer, so that
   * also loopback counts as a network (Peer.proxied).
   */
  failed(name: string, network: string, fingerprint: number, now: number, proxied?: boolean): Block | undefined;
  /** Notes a right password; true: that was news, which other threads should hear of. */
  succeeded(name: string, network: string, now: number): boolean;
  /** Notes a success of `ageMs` ago from a place (placeOf), as it was kept over a restart. */
  seed(name: string, place: string, ageMs: number, now: number): void;
  /** Whatever has to wait now, the longest wait first. */
  penalties(now: number): readonly Penalty[];
  /** Forgets failures, those of the filter or all, and gives how many waits that ended. Known devices stay known. */
  clear(filter: PenaltyFilter, now: number): number;
  /** What it knows, for a throttle that begins; bounded. */
  state(now: number): ThrottleState;
  /** Adds what another one knew; where both know something, the stricter holds. */
  learn(state: ThrottleState, now: number): void;
};

/** A wait that holds. `account` or `network` is "" where the rule is not about one. */
export type Penalty = {
  readonly of: "account from network" | "network" | "account";
  /** As it was typed, without a tag; it may be nobody's. */
  readonly account: string;
  readonly network: string;
  /** Failures, different accounts that failed, or guesses above the trickle. */
  readonly failures: number;
  readonly seconds: number;
};

/** Which penalties; all that is given has to match. */
export type PenaltyFilter = { readonly account?: string | undefined; readonly network?: string | undefined };

const ENTRIES = 16_384;
/** Devices that are known at most, of all accounts. */
export const MOST_KNOWN = ENTRIES;
const SECOND = 1000;
const DAY = 24 * 60 * 60 * SECOND;
const FREE_FAILURES = 5;
const FREE_ACCOUNTS = 20;
const FORGET_FAILURES_MS = 60 * 60 * SECOND;
/** A network is forgiven one account in this time. */
const FORGIVE_ACCOUNT_MS = 60 * SECOND;
const LONGEST_WAIT_SECONDS = 15 * 60;
const LONGEST_WAIT_OF_KNOWN_SECONDS = 60;
/** How long a device stays known after its last success. */
export const KNOWN_MS = 30 * DAY;
const TRICKLE_BURST = 20;
const TRICKLE_PER_SECOND = 0.25;
/** Guesses that were under way when the trickle ran dry are owed, or whoever guesses in parallel would get them for nothing. */
const TRICKLE_OWED = LONGEST_WAIT_SECONDS * TRICKLE_PER_SECOND;
const AT_A_TIME_PER_PAIR = 8;
const AT_A_TIME_PER_ACCOUNT = 16;
const FINGERPRINTS = 4;
/** Entries of each kind that a beginning throttle is told; known devices all. */
const TOLD_ENTRIES = 4096;

type Failures = { count: number; last: number; until: number; fingerprints: number[] };

/** Makes a throttle that has seen nothing. */
export function createThrottle(): Throttle {
  return new GuessThrottle();
}

class GuessThrottle implements Throttle {
  readonly #pairs = new LRUCache<string, Failures>({ max: ENTRIES });
  readonly #known = new LRUCache<string, number>({ max: ENTRIES });
  readonly #networks = new LRUCache<string, Level>({ max: ENTRIES });
  readonly #trickles = new LRUCache<string, Level>({ max: ENTRIES });
  /** Checks that run now, by pair and by name; never more than there are checks. */
  readonly #running = new Map<string, number>();

  wait(name: string, network: string, now: number): number {
    const pair = this.#pairs.get(pairOf(name, network));
    if (pair && pair.until > now) return secondsUntil(pair.until, now);
    const forNetwork = secondsUntil(this.#networks.get(network)?.until ?? 0, now);
    const trickle = this.#trickles.get(name);
    const missing = trickle ? Math.max(0, 1 - refilled(trickle, now)) : 0;
    if (forNetwork === 0 && missing === 0) return 0;
    if (this.#isKnown(name, network, now)) return 0;
    return Math.max(forNetwork, Math.ceil(missing / TRICKLE_PER_SECOND));
  }

  begin(name: string, network: string, now: number): boolean {
    const pair = pairOf(name, network);
    const ofPair = this.#running.get(pair) ?? 0;
    const ofAccount = this.#running.get(name) ?? 0;
    // Else all who wait for the end of a wait would be let through together.
    const suspect = (this.#pairs.get(pair)?.count ?? 0) >= FREE_FAILURES;
    if (ofPair >= (suspect ? 1 : AT_A_TIME_PER_PAIR)) return false;
    if (ofAccount >= AT_A_TIME_PER_ACCOUNT && !this.#isKnown(name, network, now)) return false;
    this.#running.set(pair, ofPair + 1);
    this.#running.set(name, ofAccount + 1);
    return true;
  }

  done(name: string, network: string): void {
    for (const key of [pairOf(name, network), name]) {
      const left = (this.#running.get(key) ?? 0) - 1;
      if (left > 0) this.#running.set(key, left);
      else this.#running.delete(key);
    }
  }

  failed(name: string, network: string, fingerprint: number, now: number, proxied = false): Block | undefined {
    const pair = this.#pairFailed(pairOf(name, network), now);
    const again = pair.fingerprints.includes(fingerprint);
    if (!again) pair.fingerprints = [fingerprint, ...pair.fingerprints].slice(0, FINGERPRINTS);
    const trusted = this.#isKnown(name, network, now);
    if (!again && !trusted) this.#spendTrickle(name, now);
    const counts = pair.count === 0 && (proxied || !isLocal(network));
    const block = counts ? this.#networkFailed(network, now) : undefined;

    if (again && trusted) return block;
    pair.count = again ? Math.max(pair.count, Math.min(pair.count + 1, FREE_FAILURES)) : pair.count + 1;
    const longest = again ? 1 : trusted ? LONGEST_WAIT_OF_KNOWN_SECONDS : LONGEST_WAIT_SECONDS;
    const seconds = waitAfter(pair.count - FREE_FAILURES + 1, longest);
    pair.until = Math.max(pair.until, now + seconds * SECOND);
    return block ?? (seconds > 0 ? { of: "account", seconds } : undefined);
  }

  succeeded(name: string, network: string, now: number): boolean {
    const hadFailures = this.#pairs.delete(pairOf(name, network));
    // It was a slip of the pen: the network is not blamed for it.
    const level = hadFailures ? this.#networks.get(network) : undefined;
    if (level) level.value = Math.max(0, level.value - 1);
    const key = pairOf(name, placeOfNetwork(network));
    const before = this.#known.get(key);
    const news = before === undefined || now - before > DAY;
    if (news) this.#known.set(key, now);
    return hadFailures || news;
  }

  seed(name: string, place: string, ageMs: number, now: number): void {
    const key = pairOf(name, place);
    this.#known.set(key, Math.max(this.#known.get(key) ?? -Infinity, now - ageMs));
  }

  penalties(now: number): readonly Penalty[] {
    const found: Penalty[] = [];
    const add = (penalty: Penalty): void => void (penalty.seconds > 0 && found.push(penalty));
    for (const [key, { count, until }] of this.#pairs.entries()) {
      const [network, account] = partsOf(key);
      add({ of: "account from network", account, network, failures: count, seconds: secondsUntil(until, now) });
    }
    for (const [network, level] of this.#networks.entries()) {
      const failures = Math.ceil(forgiven(level, now));
      add({ of: "network", account: "", network, failures, seconds: secondsUntil(level.until, now) });
    }
    for (const [account, level] of this.#trickles.entries()) {
      const left = refilled(level, now);
      const seconds = Math.ceil(Math.max(0, 1 - left) / TRICKLE_PER_SECOND);
      add({ of: "account", account, network: "", failures: Math.round(TRICKLE_BURST - left), seconds });
    }
    return found.toSorted((one, other) => other.seconds - one.seconds);
  }

  clear(filter: PenaltyFilter, now: number): number {
    const { account, network } = filter;
    const waiting = this.penalties(now).filter((penalty) => {
      return (account ?? penalty.account) === penalty.account && (network ?? penalty.network) === penalty.network;
    });
    // What does not wait yet is forgotten too: the next failure begins again.
    const keys = [...this.#pairs.keys()].filter((key) => {
      const [ofNetwork, ofAccount] = partsOf(key);
      return (account ?? ofAccount) === ofAccount && (network ?? ofNetwork) === ofNetwork;
    });
    for (const key of keys) this.#pairs.delete(key);
    if (account === undefined) forget(this.#networks, network);
    if (network === undefined) forget(this.#trickles, account);
    return waiting.length;
  }

  state(now: number): ThrottleState {
    return {
      pairs: newest(this.#pairs, TOLD_ENTRIES).map(([key, { count, last, until, fingerprints }]) => {
        return { key, count, ageMs: now - last, waitMs: until - now, fingerprints };
      }),
      known: newest(this.#known, ENTRIES).map(([key, at]) => ({ key, ageMs: now - at })),
      networks: newest(this.#networks, TOLD_ENTRIES).map((entry) => toldLevel(entry, now)),
      trickles: newest(this.#trickles, TOLD_ENTRIES).map((entry) => toldLevel(entry, now)),
    };
  }

  learn(state: ThrottleState, now: number): void {
    for (const { key, count, ageMs, waitMs, fingerprints } of state.pairs) {
      const own = this.#pairs.peek(key);
      this.#pairs.set(key, {
        count: Math.max(count, own?.count ?? 0),
        last: Math.max(now - ageMs, own?.last ?? -Infinity),
        until: Math.max(now + waitMs, own?.until ?? 0),
        fingerprints: [...new Set([...(own?.fingerprints ?? []), ...fingerprints])].slice(0, FINGERPRINTS),
      });
    }
    for (const { key, ageMs } of state.known) {
      this.#known.set(key, Math.max(now - ageMs, this.#known.peek(key) ?? -Infinity));
    }
    for (const told of state.networks) {
      const own = this.#networks.peek(told.key);
      const heard = heardLevel(told, now);
      if (own === undefined || forgiven(own, now) < forgiven(heard, now)) this.#networks.set(told.key, heard);
    }
    for (const told of state.trickles) {
      const own = this.#trickles.peek(told.key);
      const heard = heardLevel(told, now);
      if (own === undefined || refilled(own, now) > refilled(heard, now)) this.#trickles.set(told.key, heard);
    }
  }

  #isKnown(name: string, network: string, now: number): boolean {
    const success = this.#known.get(pairOf(name, placeOfNetwork(network)));
    return success !== undefined && now - success < KNOWN_MS;
  }

  #pairFailed(key: string, now: number): Failures {
    const recent = this.#pairs.get(key);
    const pair =
      recent && now - recent.last <= FORGET_FAILURES_MS ? recent : { count: 0, last: now, until: 0, fingerprints: [] };
    pair.last = now;
    this.#pairs.set(key, pair);
    return pair;
  }

  #networkFailed(network: string, now: number): Block | undefined {
    const level = this.#networks.get(network) ?? { value: 0, at: now, until: 0 };
    level.value = forgiven(level, now) + 1;
    level.at = now;
    this.#networks.set(network, level);
    const seconds = waitAfter(level.value - FREE_ACCOUNTS, LONGEST_WAIT_SECONDS);
    level.until = Math.max(level.until, now + seconds * SECOND);
    return seconds > 0 ? { of: "network", seconds } : undefined;
  }

  #spendTrickle(name: string, now: number): void {
    const level = this.#trickles.get(name) ?? { value: TRICKLE_BURST, at: now, until: 0 };
    level.value = Math.max(-TRICKLE_OWED, refilled(level, now) - 1);
    level.at = now;
    this.#trickles.set(name, level);
  }
}

/** Who cannot be told apart by address, on loopback or a local socket: no network's rule holds for them. */
function isLocal(network: string): boolean {
  return network === "unix" || network.startsWith("127.") || network === "0:0:0:0::/64";
}

/** The place of a network is that of its peers. */
function placeOfNetwork(network: string): string {
  return placeOf({ address: network, port: 0 });
}

/** Forgets one key, or everything where none is named. */
function forget(cache: LRUCache<string, Level>, key: string | undefined): void {
  if (key === undefined) cache.clear();
  else cache.delete(key);
}

function pairOf(name: string, network: string): string {
  return `${network} ${name}`;
}

/** The network and the name; a network has no space in it. */
function partsOf(pair: string): readonly [network: string, name: string] {
  const space = pair.indexOf(" ");
  return [pair.slice(0, space), pair.slice(space + 1)];
}

/** 0 for n < 1, then 1, 2, 4, … seconds. */
function waitAfter(n: number, longest: number): number {
  return n < 1 ? 0 : Math.min(longest, 2 ** (Math.floor(n) - 1));
}

function secondsUntil(until: number, now: number): number {
  return Math.max(0, Math.ceil((until - now) / SECOND));
}

function forgiven(level: Level, now: number): number {
  return Math.max(0, level.value - (now - level.at) / FORGIVE_ACCOUNT_MS);
}

function refilled(level: Level, now: number): number {
  return Math.min(TRICKLE_BURST, level.value + ((now - level.at) / SECOND) * TRICKLE_PER_SECOND);
}
