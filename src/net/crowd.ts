import type { Clock } from "../lib/clock.ts";
import { KernelQueues } from "./kernel-queues.ts";
import type { NetworkLimits } from "./network-limits.ts";

/** What the crowd asks of a member once a second. */
export type Member = { sweep(nowMonotonicMs: number): void };

/**
 * All connections of one thread: the limit that its listeners share, and the one timer by which every deadline is kept
 * (a timer of its own for each connection costs more than the connection's commands).
 */
export class Crowd implements Disposable {
  readonly limit: number;
  readonly clock: Clock;
  readonly queues = new KernelQueues();
  /** The limits by network, over all threads; undefined: there are none. */
  readonly networks: NetworkLimits | undefined;
  readonly #members = new Set<Member>();
  readonly #timer: NodeJS.Timeout;

  constructor(options: { readonly connections: number; readonly clock: Clock; readonly networks?: NetworkLimits }) {
    this.limit = options.connections;
    this.networks = options.networks;
    this.clock = options.clock;
    this.#timer = setInterval(() => this.sweep(), 1000).unref();
  }

  get size(): number {
    return this.#members.size;
  }

  /** false: the limit is reached, and the connection is to be turned away. */
  add(member: Member): boolean {
    if (this.#members.size >= this.limit) return false;
    this.#members.add(member);
    return true;
  }

  delete(member: Member): void {
    this.#members.delete(member);
  }

  /** Asks every member to keep its deadlines; called by the timer, and by tests that hold the clock. */
  sweep(): void {
    const now = this.clock.monotonic();
    for (const member of this.#members) member.sweep(now);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
