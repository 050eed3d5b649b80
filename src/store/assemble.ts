import type { BodyReader } from "./bodies/body-reader.ts";
import { openSpool } from "./bodies/spool.ts";
import type { BufferPool } from "./buffer-pool.ts";
import type { Disk } from "./disk.ts";
import type { Layout } from "./layout.ts";
import type { Leases, Store } from "./ports.ts";
import type { Reads } from "./reads.ts";
import type { WriteVerbs } from "./write/verbs.ts";

/** A store from its parts: writes by the one writer, wherever it runs; all else in this thread. */
export function assembleStore(parts: {
  readonly writes: WriteVerbs;
  readonly reads: Reads;
  readonly reader: BodyReader;
  readonly buffers: BufferPool;
  readonly leases: Leases;
  readonly disk: Disk;
  readonly layout: Layout;
}): Store {
  const { writes, reads, reader, buffers, leases, disk, layout } = parts;
  const { addDomain, removeDomain, addAccounts, changeAccount, removeAccount, append, expunge } = writes;
  return {
    directory: { ...reads.directory, addDomain, removeDomain, addAccounts, changeAccount, removeAccount },
    mail: { ...reads.mail, append, expunge },
    bodies: {
      open: (place) => reader.open(place),
      spool: () => openSpool(disk, layout),
      buffer: (octets) => buffers.take(octets),
    },
    upkeep: { reclaim: (eraseBefore) => writes.reclaim(eraseBefore), state: () => writes.state() },
    leases,
  };
}
