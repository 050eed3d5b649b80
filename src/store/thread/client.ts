import { BroadcastChannel } from "node:worker_threads";
import type { Clock } from "../../lib/clock.ts";
import { systemClock } from "../../lib/clock.ts";
import { assembleStore } from "../assemble.ts";
import { BodyReader } from "../bodies/body-reader.ts";
import { BufferPool } from "../buffer-pool.ts";
import { systemDisk } from "../disk.ts";
import { layoutOf } from "../layout.ts";
import { LeaseTable } from "../leases.ts";
import type { Store } from "../ports.ts";
import { createReads } from "../reads.ts";
import { compiledBefore } from "../sql/read-statements.ts";
import { openForReading } from "../sql/sqlite.ts";
import { writeVerbs } from "../write/verbs.ts";
import type { StoreConnection } from "./connection.ts";
import { StoreLink } from "./link.ts";

/**
 * A store for this thread: writes go to the store thread, reads by a connection of this thread's own. `onLost`: the
 * store thread is gone; every pending promise has been rejected and the process must end.
 */
export function createStoreClient(options: {
  readonly connection: StoreConnection;
  readonly onLost: (reason: string) => void;
  readonly clock?: Clock;
}): Store & AsyncDisposable {
  const { connection, onLost, clock = systemClock } = options;
  const disk = systemDisk;
  const layout = layoutOf(connection.folder);
  const reader = new BodyReader(disk, layout);
  const buffers = new BufferPool();
  const sql = openForReading(layout.database, compiledBefore(connection.statements));
  const channel = new BroadcastChannel(connection.leaseChannel);
  const leases = new LeaseTable(connection.leaseWords, connection.threadNumber, clock, channel);
  const segmentsGone = reader.forget.bind(reader);
  const link = new StoreLink({ port: connection.port, buffers, segmentsGone, onLost });
  const store = assembleStore({
    writes: writeVerbs((request) => link.submit(request)),
    reads: createReads(sql),
    reader,
    buffers,
    leases,
    disk,
    layout,
  });
  return {
    ...store,
    [Symbol.asyncDispose]: async () => {
      await link[Symbol.asyncDispose]();
      leases[Symbol.dispose]();
      reader[Symbol.dispose]();
      sql[Symbol.dispose]();
    },
  };
}
