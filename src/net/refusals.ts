import type { Clock } from "../lib/clock.ts";
import type { Log } from "../observe/log-port.ts";
import type { Counter, Metrics } from "../observe/metrics-port.ts";
import type { Crowded } from "./network-limits.ts";
import type { ProtocolName } from "./protocol.ts";

/** Why a connection is not served: all are too many, its network's are, or it is not what a proxy's would be. */
export type Refusal = "full" | Crowded | "not-a-proxy" | "proxy-header";

const LOG_PAUSE_MS = 1000;

/** Counts the connections that a listener turns away, and logs one of them a second: a flood must not fill the log too. */
export class Refusals {
  readonly #protocol: ProtocolName;
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #all: Counter;
  readonly #each: Readonly<Record<Refusal, Counter>>;
  #loggedAt = -Infinity;
  #untold = 0;

  constructor(parts: {
    readonly protocol: ProtocolName;
    readonly metrics: Metrics;
    readonly log: Log;
    readonly clock: Clock;
  }) {
    const { protocol, metrics } = parts;
    this.#protocol = protocol;
    this.#log = parts.log;
    this.#clock = parts.clock;
    this.#all = metrics.counter("mailkeep_connections_refused_total", protocol);
    const counter = (reason: Refusal): Counter => metrics.counter("mailkeep_connection_refusals_total", reason);
    this.#each = {
      full: counter("full"),
      connections: counter("connections"),
      rate: counter("rate"),
      "not-a-proxy": counter("not-a-proxy"),
      "proxy-header": counter("proxy-header"),
    };
  }

  /** Counts one, and says so unless another was said just now. */
  note(refusal: Refusal, peer: string, detail?: string): void {
    this.#all.add();
    this.#each[refusal].add();
    const now = this.#clock.monotonic();
    if (now - this.#loggedAt < LOG_PAUSE_MS) {
      this.#untold += 1;
      return;
    }
    const reason = detail === undefined ? refusal : `${refusal}: ${detail}`;
    this.#log.warn("connection.refused", { protocol: this.#protocol, peer, reason, others: this.#untold });
    this.#loggedAt = now;
    this.#untold = 0;
  }
}
