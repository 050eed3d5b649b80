import type { Clock } from "../lib/clock.ts";
import { systemClock } from "../lib/clock.ts";
import type { Result } from "../lib/result.ts";
import { ok } from "../lib/result.ts";
import type { Log } from "../observe/log-port.ts";
import type { Metrics } from "../observe/metrics-port.ts";
import { assembleStore } from "./assemble.ts";
import { BodyReader } from "./bodies/body-reader.ts";
import { BufferPool } from "./buffer-pool.ts";
import type { Disk } from "./disk.ts";
import { systemDisk } from "./disk.ts";
import { layoutOf } from "./layout.ts";
import { createLeaseWords } from "./lease-words.ts";
import { LeaseTable } from "./leases.ts";
import type { Migrated } from "./open-database.ts";
import type { OpenRefusal } from "./open-refusal.ts";
import { openWriter } from "./open-writer.ts";
import type { Store } from "./ports.ts";
import { createReads } from "./reads.ts";
import type { Rows } from "./rows.ts";
import { sqliteRows } from "./rows.ts";
import { writeVerbs } from "./write/verbs.ts";

/** What a store in this thread needs. Who opens it holds the folder's lock. */
export type StoreOptions = {
  readonly folder: string;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly clock?: Clock;
  readonly disk?: Disk;
  readonly rows?: Rows;
};

/** A store that can be closed: what was asked before is finished first. */
export type OpenStore = Store & AsyncDisposable;

/**
 * Opens the store in the caller's own thread, writer and all: for commands while no server runs, and for tests. Makes it
 * where there is none, and brings it to this program's schema.
 */
export async function openStore(
  options: StoreOptions,
): Promise<Result<OpenStore & { readonly schema: Migrated }, OpenRefusal>> {
  const { folder, clock = systemClock, disk = systemDisk, rows = sqliteRows } = options;
  const layout = layoutOf(folder);
  const reader = new BodyReader(disk, layout);
  const announce = reader.forget.bind(reader);
  const opened = await openWriter({ ...options, disk, clock, rows, announce });
  if (!opened.ok) return opened;
  const { writer, schema } = opened.value;
  const connection = rows.openForReading(layout);
  const leases = new LeaseTable(createLeaseWords(), 1, clock);
  const store = assembleStore({
    writes: writeVerbs((request) => writer.submit(request)),
    reads: createReads(connection),
    reader,
    buffers: new BufferPool(),
    leases,
    disk,
    layout,
  });
  const close = async (): Promise<void> => {
    leases[Symbol.dispose]();
    reader[Symbol.dispose]();
    connection[Symbol.dispose]();
    await writer[Symbol.asyncDispose]();
  };
  return ok({ ...store, schema, [Symbol.asyncDispose]: close });
}
