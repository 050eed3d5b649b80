import type { MessagePort } from "node:worker_threads";
import type { SegmentId } from "../../model/ids.ts";
import type { ObserveShared } from "../../observe/worker.ts";
import type { Migrated } from "../open-database.ts";
import type { OpenRefusal } from "../open-refusal.ts";
import type { ReadStatements } from "../sql/read-statements.ts";
import type { Request } from "../write/verbs.ts";

/** What the store thread is started with. */
export type StoreThreadData = {
  readonly folder: string;
  readonly leaseWords: SharedArrayBuffer;
  readonly observe: ObserveShared;
};

/** From the owner to the store thread. */
export type Order =
  { readonly order: "connect"; readonly port: MessagePort; readonly threadNumber: number } | { readonly order: "stop" };

/** From the store thread to its owner, once. */
export type Opened =
  | { readonly opened: true; readonly schema: Migrated; readonly statements: ReadStatements }
  | { readonly opened: false; readonly refusal: OpenRefusal };

/** From the store thread to its owner: a client is gone and its number is free. */
export type Freed = { readonly freed: number };

/** From a client to the store thread: the calls of one turn of its loop. */
export type Calls = readonly { readonly id: number; readonly request: Request }[];

/** What came of a call; the buffer of a delivery comes back with it. */
export type Answer = { readonly id: number; readonly buffer?: ArrayBuffer } & (
  | { readonly outcome: unknown }
  | { readonly error: { readonly kind: "unavailable" | "damaged"; readonly message: string; readonly full: boolean } }
);

/** From the store thread to a client. */
export type News = { readonly answers: readonly Answer[] } | { readonly segmentsGone: readonly SegmentId[] };
