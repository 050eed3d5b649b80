import type { Clock } from "../lib/clock.ts";
import type { Result } from "../lib/result.ts";
import type { Log } from "../observe/log-port.ts";
import type { Metrics } from "../observe/metrics-port.ts";
import type { OpenRefusal } from "./open-refusal.ts";
import type { Store } from "./ports.ts";

/** What a store in this thread needs. Who opens it holds the folder's lock. */
export type StoreOptions = {
  readonly folder: string;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly clock?: Clock;
};

/** A store that can be closed: what was asked before is finished first. */
export type OpenStore = Store & AsyncDisposable;

/** Opens the store in the caller's own thread, writer and all: for commands while no server runs, and for tests. */
export function openStore(options: StoreOptions): Promise<Result<OpenStore, OpenRefusal>> {
  throw new Error(`to be written: ${options.folder}`);
}
