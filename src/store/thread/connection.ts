import type { MessagePort } from "node:worker_threads";
import type { ReadStatements } from "../sql/read-statements.ts";

/** What a thread needs to be a client of the store: goes by workerData or postMessage, with `port` in the transfer list. */
export type StoreConnection = {
  readonly port: MessagePort;
  readonly folder: string;
  readonly threadNumber: number;
  readonly leaseWords: SharedArrayBuffer;
  /** Name of the channel by which threads tell one another of leases taken over. */
  readonly leaseChannel: string;
  readonly statements: ReadStatements;
};
