import { randomUUID } from "node:crypto";
import { MessageChannel, Worker } from "node:worker_threads";
import type { Result } from "../../lib/result.ts";
import { err, ok } from "../../lib/result.ts";
import type { ObserveShared } from "../../observe/worker.ts";
import { createLeaseWords } from "../lease-words.ts";
import type { Migrated } from "../open-database.ts";
import type { OpenRefusal } from "../open-refusal.ts";
import type { StoreConnection } from "./connection.ts";
import type { Freed, Opened, Order, StoreThreadData } from "./messages.ts";
import { ThreadNumbers } from "./thread-numbers.ts";

/** The running store thread. Disposing finishes what was asked and ends it; close the clients before. */
export type StoreThread = AsyncDisposable & {
  /** A connection for one more client, in this or any other thread; a thread that dies frees its leases. */
  connect(): StoreConnection;
  /** Settles when the thread has ended: with undefined after dispose, else with why it died; the process must end then. */
  readonly ended: Promise<Error | undefined>;
  readonly schema: Migrated;
};

/** Starts the thread that owns the only write connection. Who calls holds the folder's lock. */
export async function startStoreThread(options: {
  readonly folder: string;
  /** Log and metrics of that thread, given as the observe room makes them. */
  readonly observe: ObserveShared;
}): Promise<Result<StoreThread, OpenRefusal>> {
  const { folder, observe } = options;
  const leaseWords = createLeaseWords();
  const worker = new Worker(new URL("./worker.ts", import.meta.url), {
    name: "store",
    workerData: { folder, leaseWords, observe } satisfies StoreThreadData,
    transferList: [observe.port],
  });
  const stopping = { asked: false };
  const ended = endOf(worker, stopping);
  const opened = await Promise.race([openedBy(worker), ended]);
  if (opened === undefined || opened instanceof Error) throw opened ?? new Error("the store thread ended at its start");
  if (!opened.opened) {
    stopping.asked = true;
    await ended;
    return err(opened.refusal);
  }
  const shared = { folder, leaseWords, leaseChannel: `mailkeep-leases-${randomUUID()}`, statements: opened.statements };
  const numbers = new ThreadNumbers();
  worker.on("message", ({ freed }: Freed) => numbers.give(freed));
  return ok({
    connect: () => {
      const { port1, port2 } = new MessageChannel();
      const threadNumber = numbers.take();
      order(worker, { order: "connect", port: port2, threadNumber }, [port2]);
      return { ...shared, port: port1, threadNumber };
    },
    ended,
    schema: opened.schema,
    [Symbol.asyncDispose]: async () => {
      stopping.asked = true;
      order(worker, { order: "stop" }, []);
      const failure = await ended;
      if (failure !== undefined) throw failure;
    },
  });
}

function order(worker: Worker, message: Order, transfer: Parameters<Worker["postMessage"]>[1]): void {
  worker.postMessage(message, transfer);
}

function openedBy(worker: Worker): Promise<Opened> {
  return new Promise((resolve) => {
    worker.once("message", resolve);
  });
}

function endOf(worker: Worker, stopping: { readonly asked: boolean }): Promise<Error | undefined> {
  return new Promise((resolve) => {
    worker.once("error", (cause) => resolve(new Error("the store thread died", { cause })));
    worker.once("exit", (code) =>
      resolve(stopping.asked && code === 0 ? undefined : new Error(`the store thread ended with code ${code}`)),
    );
  });
}
