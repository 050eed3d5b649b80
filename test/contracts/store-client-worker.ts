import { parentPort, workerData } from "node:worker_threads";
import type { MailboxId } from "../../src/model/ids.ts";
import { createStoreClient } from "../../src/store/thread/client.ts";
import type { StoreConnection } from "../../src/store/thread/connection.ts";

// A thread that holds leases until it is ended from outside.
const { connection, hold, update, uids } = workerData as {
  connection: StoreConnection;
  hold: MailboxId;
  update?: MailboxId;
  uids?: number[];
};
const store = createStoreClient({ connection, onLost: () => undefined });
const lost = (): void => parentPort?.postMessage("lost");
const held = await store.leases.acquire(hold, { waitMs: 0 }, lost);
if (update !== undefined) {
  const lease = await store.leases.acquire(update, { waitMs: 0 }, lost);
  if (lease.ok) lease.value.beginUpdate();
  void store.mail.expunge(update, Uint32Array.from(uids ?? []));
}
// Behind the message that takes the removal on its way.
setImmediate(() => parentPort?.postMessage(held.ok ? "ready" : "in use"));
setInterval(() => undefined, 1000);
