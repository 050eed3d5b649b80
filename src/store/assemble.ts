import type { BodyReader } from "./bodies/body-reader.ts";
import { openSpool } from "./bodies/spool.ts";
import type { BufferPool } from "./buffer-pool.ts";
import type { Disk } from "./disk.ts";
import { DiskError } from "./disk.ts";
import type { Layout } from "./layout.ts";
import type { Leases, Spool, Store, Upkeep } from "./ports.ts";
import { StoreError } from "./ports.ts";
import type { Reads } from "./reads.ts";
import { isReserveSpent } from "./reserve.ts";
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
  const { addDomain, removeDomain, addAccounts, changeAccount, addScram, removeAccount } = writes;
  const { addAppPassword, removeAppPassword, noteUses, noteKnownPlaces, note } = writes;
  const { append, expunge, restore, reclaim, erase, forget, noteTime, state } = writes;
  const { mend, noteScrub } = writes;
  const accounts = { addAccounts, changeAccount, addScram, removeAccount };
  return {
    directory: { ...reads.directory, addDomain, removeDomain, ...accounts },
    devices: { ...reads.devices, addAppPassword, removeAppPassword, noteUses, noteKnownPlaces },
    history: { ...reads.history, note },
    mail: { ...reads.mail, append, expunge, restore },
    bodies: {
      open: (place) => reader.open(place),
      spool: () => spoolOf(disk, layout),
      buffer: (octets) => buffers.take(octets),
    },
    upkeep: { ...reads.upkeep, reclaim, erase, forget, noteTime, state, space: () => spaceOf(disk, layout) },
    scrub: { ...reads.scrub, mend, noteScrub },
    leases,
  };
}

/** A spool file takes room before the writer is asked. */
async function spoolOf(disk: Disk, layout: Layout): Promise<Spool> {
  if (!isReserveSpent(disk, layout)) return openSpool(disk, layout);
  throw new StoreError("unavailable", "the disk is full", { full: true });
}

async function spaceOf(disk: Disk, { bodies }: Layout): ReturnType<Upkeep["space"]> {
  try {
    return await disk.space(bodies);
  } catch (cause) {
    if (!(cause instanceof DiskError)) throw cause;
    throw new StoreError("unavailable", cause.message, { cause });
  }
}
