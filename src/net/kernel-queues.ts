import { fstatSync } from "node:fs";
import { readFile } from "node:fs/promises";
import type { Socket } from "node:net";

// Linux wakes a writer only when a third of the socket's buffer is free, and that may have grown to megabytes: a reader on a
// slow line takes octets all the time while nothing is seen of it here. The kernel's own count tells.
const REFRESH_MS = 2000;
const TABLES = ["/proc/net/tcp", "/proc/net/tcp6"] as const;

// Of <net/tcp_states.h>: our FIN was sent; it was acknowledged, and so all that we ever sent.
const FIN_WAIT1 = "04";
const FIN_WAIT2 = "05";

type Queue = { readonly inode: number; readonly unsent: number; readonly unread: number; readonly state: string };

/** How many octets the kernel holds for each peer that has not acknowledged them, as far as the system tells (Linux). */
export class KernelQueues {
  #octets: ReadonlyMap<number, number> = new Map();
  #finished: ReadonlySet<number> = new Set();
  #readAt = -Infinity;
  #reading: Promise<void> | undefined;

  /** The newest count for a socket; asks for a newer one behind the caller's back. undefined: not known (yet). */
  look(socket: Socket, nowMonotonicMs: number): number | undefined {
    const inode = this.#known(socket, nowMonotonicMs);
    return inode === undefined ? undefined : this.#octets.get(inode);
  }

  /** Whether we have ended and the peer has acknowledged all octets, and nothing of its own is unread; as far as is known. */
  isFinished(socket: Socket, nowMonotonicMs: number): boolean {
    const inode = this.#known(socket, nowMonotonicMs);
    return inode !== undefined && this.#finished.has(inode);
  }

  /** Asks for new counts; a reading that is under way is waited for instead. */
  refresh(nowMonotonicMs: number): Promise<void> {
    this.#reading ??= this.#read(nowMonotonicMs);
    return this.#reading;
  }

  async #read(now: number): Promise<void> {
    this.#readAt = now;
    const tables = await Promise.all(TABLES.map((table) => readFile(table, "latin1").catch(() => "")));
    const queues = tables.flatMap((table) => table.split("\n").slice(1)).map(queueOf);
    this.#octets = new Map(queues.map(({ inode, unsent }) => [inode, unsent]));
    this.#finished = new Set(queues.filter(isFinished).map(({ inode }) => inode));
    this.#reading = undefined;
  }

  #known(socket: Socket, now: number): number | undefined {
    const inode = inodeOf(socket);
    if (inode !== undefined && now - this.#readAt >= REFRESH_MS) void this.refresh(now);
    return inode;
  }
}

/** A FIN counts as an octet until it is acknowledged, and is sent again when nobody holds the socket any more. */
function isFinished({ state, unsent, unread }: Queue): boolean {
  return unread === 0 && (state === FIN_WAIT2 || (state === FIN_WAIT1 && unsent <= 1));
}

/** A line of /proc/net/tcp (proc(5)): field 3 is the state, 4 tx_queue:rx_queue in hexadecimal, 9 the inode. */
function queueOf(line: string): Queue {
  const fields = line.trim().split(/\s+/);
  const [unsent = "0", unread = "0"] = (fields[4] ?? "").split(":");
  return {
    inode: Number(fields[9] ?? 0),
    unsent: Number.parseInt(unsent, 16),
    unread: Number.parseInt(unread, 16),
    state: fields[3] ?? "",
  };
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
