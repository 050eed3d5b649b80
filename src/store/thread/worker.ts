import type { MessagePort } from "node:worker_threads";
import { parentPort, workerData } from "node:worker_threads";
import { assert } from "../../lib/assert.ts";
import { systemClock } from "../../lib/clock.ts";
import { workerObserve } from "../../observe/worker.ts";
import { systemDisk } from "../disk.ts";
import { openWriter } from "../open-writer.ts";
import { compileStatement } from "../sql/compile.ts";
import { compileReadStatements } from "../sql/read-statements.ts";
import type { Freed, News, Opened, Order, StoreThreadData } from "./messages.ts";
import { serveClient } from "./serve.ts";

// The entry of the store thread: owns the only connection that writes, and serves clients until it is told to stop.
assert(parentPort !== null, "this is a worker's entry");
await run(parentPort, workerData as StoreThreadData);

async function run(owner: MessagePort, { folder, leaseWords, observe }: StoreThreadData): Promise<void> {
  using observed = workerObserve(observe);
  const { log, metrics } = observed;
  const clients = new Set<MessagePort>();
  const opened = await openWriter({
    folder,
    log,
    metrics,
    clock: systemClock,
    disk: systemDisk,
    keepsReserve: true,
    announce: (segmentsGone) => {
      for (const port of clients) port.postMessage({ segmentsGone } satisfies News);
    },
  });
  if (!opened.ok) {
    owner.postMessage({ opened: false, refusal: opened.error } satisfies Opened);
    return;
  }
  const { schema } = opened.value;
  await using writer = opened.value.writer;
  const stopped = new Promise<void>((resolve) => {
    owner.on("message", (order: Order) => {
      if (order.order === "stop") return resolve();
      const { port, threadNumber } = order;
      clients.add(port);
      const freed = (): void => owner.postMessage({ freed: threadNumber } satisfies Freed);
      serveClient(port, writer, { threadNumber, leaseWords, gone: () => clients.delete(port), freed });
    });
  });
  owner.postMessage({ opened: true, schema, statements: compileReadStatements(compileStatement) } satisfies Opened);
  await stopped;
  owner.close();
  // What clients had posted is still answered; then nobody can post any more.
  await writer.drain();
  for (const port of clients) port.close();
}
