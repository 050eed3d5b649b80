import type { Result } from "../../lib/result.ts";
import type { ObserveShared } from "../../observe/worker.ts";
import type { OpenRefusal } from "../open-refusal.ts";
import type { StoreConnection } from "./connection.ts";

/** The running store thread. Disposing finishes what was asked and ends it; close the clients before. */
export type StoreThread = AsyncDisposable & {
  /** A connection for one more client, in this or any other thread; a thread that dies frees its leases. */
  connect(): StoreConnection;
  /** Settles when the thread has ended: with undefined after dispose, else with why it died; the process must end then. */
  readonly ended: Promise<Error | undefined>;
};

/** Starts the thread that owns the only write connection. Who calls holds the folder's lock. */
export function startStoreThread(options: {
  readonly folder: string;
  /** Log and metrics of that thread, given as the observe room makes them. */
  readonly observe: ObserveShared;
}): Promise<Result<StoreThread, OpenRefusal>> {
  throw new Error(`to be written: ${options.folder}`);
}
