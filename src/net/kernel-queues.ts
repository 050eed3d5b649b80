import { fstatSync } from "node:fs";
import { readFile } from "node:fs/promises";
import type { Socket } from "node:net";

// Linux wakes a writer only when a third of the socket's buffer is free, and that may have grown to megabytes: a reader on a
// slow line takes octets all the time while nothing is seen of it here. The kernel's own count tells.
const REFRESH_MS = 2000;
const TABLES = ["/proc/net/tcp", "/proc/net/tcp6"] as const;

/** How many octets the kernel holds for each peer that has not acknowledged them, as far as the system tells (Linux). */
export class KernelQueues {
  #octets: ReadonlyMap<number, number> = new Map();
  #readAt = -Infinity;
  #reading = false;

  /** The newest count for a socket; asks for a newer one behind the caller's back. undefined: not known (yet). */
  look(socket: Socket, nowMonotonicMs: number): number | undefined {
    const inode = inodeOf(socket);
    if (inode === undefined) return undefined;
    if (!this.#reading && nowMonotonicMs - this.#readAt >= REFRESH_MS) void this.#read(nowMonotonicMs);
    return this.#octets.get(inode);
  }

  async #read(now: number): Promise<void> {
    this.#reading = true;
    this.#readAt = now;
    const tables = await Promise.all(TABLES.map((table) => readFile(table, "latin1").catch(() => "")));
    this.#octets = new Map(tables.flatMap((table) => table.split("\n").slice(1)).map(queueOf));
    this.#reading = false;
  }
}

/** A line of /proc/net/tcp (proc(5)): field 4 is tx_queue:rx_queue in hexadecimal, field 9 the inode. */
function queueOf(line: string): readonly [inode: number, octets: number] {
  const fields = line.trim().split(/\s+/);
  return [Number(fields[9] ?? 0), Number.parseInt(fields[4] ?? "0", 16)];
}

function inodeOf(socket: Socket): number | undefined {
  const { ["_handle"]: handle } = socket as { readonly _handle?: { readonly fd?: number } | null };
  const descriptor = handle?.fd ?? -1;
  try {
    return descriptor >= 0 ? fstatSync(descriptor).ino : undefined;
  } catch {
    // It was closed in this very moment.
    return undefined;
  }
}
