import type { Log } from "../../observe/log-port.ts";
import type { Metrics } from "../../observe/metrics-port.ts";
import type { WriteFailure } from "../ports.ts";

/**
 * Whether writes are acknowledged now; each change is logged once. After a failed sync the kernel may have forgotten what it
 * could not write, and a second sync would say that all is well: so nothing is acknowledged any more until a restart, which
 * begins from what is really on disk.
 */
export class StoreHealth {
  readonly #log: Log;
  readonly #metrics: Metrics;
  #state: "ok" | "stopped" | WriteFailure = "ok";

  constructor(log: Log, metrics: Metrics) {
    this.#log = log;
    this.#metrics = metrics;
  }

  get state(): "ok" | "stopped" | WriteFailure {
    return this.#state;
  }

  get stopped(): boolean {
    return this.#state === "stopped";
  }

  /** One call's rows could not be written, which says nothing about the next. */
  unitFailed(failure: WriteFailure): void {
    this.#metrics.counter("mailkeep_store_failures_total", failure).add();
  }

  /** A write did not happen. */
  failed(failure: WriteFailure, reason: string): "stopped" | WriteFailure {
    this.unitFailed(failure);
    if (this.#state === failure || this.#state === "stopped") return this.#state;
    this.#state = failure;
    this.#log.error(failure === "full" ? "store.full" : "store.failed", { reason });
    return failure;
  }

  /** A sync failed. */
  stop(reason: string): void {
    if (this.#state === "stopped") return;
    this.#state = "stopped";
    this.#log.error("store.stopped", { reason });
  }

  /** A write has happened that stood for all. */
  recovered(): "ok" | "stopped" {
    if (this.#state === "stopped") return "stopped";
    if (this.#state !== "ok") this.#log.info("store.recovered", {});
    this.#state = "ok";
    return "ok";
  }
}
