import type { Log } from "../../observe/log-port.ts";
import type { Metrics } from "../../observe/metrics-port.ts";
import type { WriteFailure } from "../ports.ts";

/** Whether writes are acknowledged now; each change is logged once. */
export class StoreHealth {
  readonly #log: Log;
  readonly #metrics: Metrics;
  #state: "ok" | WriteFailure = "ok";

  constructor(log: Log, metrics: Metrics) {
    this.#log = log;
    this.#metrics = metrics;
  }

  get state(): "ok" | WriteFailure {
    return this.#state;
  }

  /** One call's rows could not be written, which says nothing about the next. */
  unitFailed(failure: WriteFailure): void {
    this.#metrics.counter("mailkeep_store_failures_total", failure).add();
  }

  /** A write did not happen. */
  failed(failure: WriteFailure, reason: string): WriteFailure {
    this.unitFailed(failure);
    if (this.#state === failure) return failure;
    this.#state = failure;
    this.#log.error(failure === "full" ? "store.full" : "store.failed", { reason });
    return failure;
  }

  /** A write has happened that stood for all. */
  recovered(): "ok" {
    if (this.#state !== "ok") this.#log.info("store.recovered", {});
    this.#state = "ok";
    return "ok";
  }
}
