import type { Clock } from "../lib/clock.ts";
import { createCountsMemory, SharedCounts, type CountsMemory } from "../lib/shared-counts.ts";
import { createRatesMemory, SharedRates, type RatesMemory } from "../lib/shared-rates.ts";
import { networkOf, type Peer } from "../model/peer.ts";

/** What all threads share to count connections by network; the main thread makes it. */
export type NetworkLimitsMemory = { readonly open: CountsMemory; readonly fresh: RatesMemory };

export type NetworkLimitsOptions = {
  /** From 1, as protocol threads are numbered. */
  readonly thread: number;
  /** Asked at each connection, so that a reload holds at once. */
  readonly limits: () => { readonly connections: number; readonly perMinute: number };
  readonly clock: Clock;
};

/** Why a connection is turned away: too many open from its network, or too many new ones within a minute. */
export type Crowded = "connections" | "rate";

// Networks that come within one minute and are told apart; beyond it innocent ones begin to be counted together.
const FRESH_WIDTH = 32_768;

/** Makes the shared memory: about 0.5 MiB a thread at the default of 20,000 connections, touched as it is used. */
export function createNetworkLimitsMemory(options: {
  /** Of all threads together. */
  readonly connections: number;
  readonly threads: number;
}): NetworkLimitsMemory {
  return {
    open: createCountsMemory({ capacity: options.connections, threads: options.threads }),
    fresh: createRatesMemory({ width: FRESH_WIDTH }),
  };
}

/**
 * Counts connections by network, exactly over all threads, whichever of them the kernel picks. What comes from this
 * machine is not counted unless a proxy named its peer: programs of our own are no crowd.
 */
export class NetworkLimits {
  readonly #options: NetworkLimitsOptions;
  readonly #open: SharedCounts;
  readonly #fresh: SharedRates;

  constructor(memory: NetworkLimitsMemory, options: NetworkLimitsOptions) {
    this.#options = options;
    this.#open = new SharedCounts(memory.open, options.thread - 1);
    this.#fresh = new SharedRates(memory.fresh);
  }

  /** Counts a connection; gives the network to `leave` with, or why it is turned away. undefined: it is not counted. */
  enter(peer: Peer): { readonly network: string } | { readonly crowded: Crowded } | undefined {
    if (!isCounted(peer)) return undefined;
    const network = networkOf(peer);
    const { connections, perMinute } = this.#options.limits();
    if (!this.#open.enter(network, connections)) return { crowded: "connections" };
    // Only who is let in counts as new: a client that knocks again and again is not shut out for longer by it.
    if (this.#fresh.take(network, perMinute, this.#options.clock.now())) return { network };
    this.#open.leave(network);
    return { crowded: "rate" };
  }

  leave(network: string): void {
    this.#open.leave(network);
  }
}

function isCounted({ address, proxied = false }: Peer): boolean {
  // "unknown" is reset already.
  if (address === "unix" || address === "unknown") return false;
  return proxied || !(address.startsWith("127.") || address === "::1");
}
