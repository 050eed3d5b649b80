import { randomFillSync } from "node:crypto";
import path from "node:path";
import type { Log } from "../observe/log-port.ts";
import type { Disk } from "./disk.ts";
import { DiskError } from "./disk.ts";
import type { Layout } from "./layout.ts";
import { StoreError } from "./ports.ts";

/**
 * What a store keeps back: enough for the log of a QUIT whose 2,000 messages lie on as many pages, with what undelete and
 * history add, and for copying that log into the database. A file of fewer octets is one of which some was given up.
 */
export const RESERVE_OCTETS = 16 * 1024 * 1024;

type Parts = {
  readonly disk: Disk;
  readonly layout: Layout;
  readonly log: Log;
  /** Whether it is made, and made whole again; what is there is used in any case. */
  readonly makes: boolean;
};

const PIECE_OCTETS = 1024 * 1024;
// It goes by shares, so that whoever else writes to the disk does not take all of it at once.
const SHARE_OCTETS = RESERVE_OCTETS / 4;
// It is made only where so much is free: mail needs room beside it.
const ROOM_OCTETS = 1.5 * RESERVE_OCTETS;
const PROBE_OCTETS = 64 * 1024;

/**
 * Room on the disk that is given up when a write meets a full one, so that mail can still be removed, which makes room. While
 * some of it is given up new mail is refused, or it would eat what was given up for its removal.
 */
export class Reserve implements AsyncDisposable {
  readonly #parts: Parts;
  /** Octets of its file; undefined: there is none, as where there never was room for one. */
  #held: number | undefined;
  #making: Promise<void> | undefined;
  /** Counts what ends a making that is under way. */
  #changes = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#held = parts.disk.octetsSync(parts.layout.reserve);
  }

  /** Whether some of it was given up, now or before a restart, and is not back. */
  get spent(): boolean {
    return this.#held !== undefined && this.#held < RESERVE_OCTETS;
  }

  /** Whether there is some to give up. */
  get left(): boolean {
    return this.#held !== undefined && this.#held > 0;
  }

  /** Whether something failed because the disk is full; of a quota that is used up SQLite says only that a write failed. */
  isWantOfRoom(cause: unknown): boolean {
    if (!(cause instanceof StoreError)) return false;
    return cause.full || (cause.kind === "unavailable" && !cause.sync && !this.hasRoom);
  }

  /** Does what fails as for a full disk when that is what is the matter. */
  async told<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (cause) {
      if (!(cause instanceof StoreError) || cause.full || !this.isWantOfRoom(cause)) throw cause;
      throw new StoreError(cause.kind, cause.message, { cause, full: true });
    }
  }

  /** Does what makes room, again and again with a share more while it fails for want of room and there is one. */
  async spendOn<T>(work: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await work();
      } catch (cause) {
        if (!this.isWantOfRoom(cause) || !this.giveUp()) throw cause;
      }
    }
  }

  /** Gives a share of it up; false: there is none left. */
  giveUp(): boolean {
    const { disk, layout, log } = this.#parts;
    if (this.#held === undefined || this.#held === 0) return false;
    const left = Math.max(0, this.#held - SHARE_OCTETS);
    try {
      resize(disk, layout.reserve, left);
    } catch (cause) {
      if (!(cause instanceof DiskError)) throw cause;
      return false;
    }
    this.#held = left;
    this.#changes += 1;
    log.warn("store.reserve.used", { left });
    return true;
  }

  /** Whether the disk takes a little more. */
  get hasRoom(): boolean {
    return hasRoom(this.#parts.disk, this.#parts.layout);
  }

  /** Begins to make it, or to make it whole again, when there is room. */
  restore(): void {
    if (!this.#parts.makes || this.#making !== undefined || this.#held === RESERVE_OCTETS) return;
    this.#making = this.#make().finally(() => {
      this.#making = undefined;
    });
  }

  /** Resolves when it is not being made. */
  async settled(): Promise<void> {
    await this.#making;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#changes += 1;
    await this.#making;
  }

  async #make(): Promise<void> {
    const { disk, layout, log } = this.#parts;
    const changes = this.#changes;
    try {
      const { free } = await disk.space(path.dirname(layout.reserve));
      if (free + (this.#held ?? 0) < ROOM_OCTETS) return;
      const whole = await (this.#held === undefined ? this.#makeNew(changes) : this.#fill(this.#held, changes));
      if (!whole) return;
      if (this.spent) log.info("store.reserve.restored", {});
      this.#held = RESERVE_OCTETS;
    } catch (cause) {
      // The next look tries again.
      if (!(cause instanceof DiskError)) throw cause;
    }
  }

  /** Under another name: what is half made is none, and must not keep mail out. */
  async #makeNew(changes: number): Promise<boolean> {
    const { disk, layout } = this.#parts;
    const unfinished = `${layout.reserve}.new`;
    try {
      disk.unlinkSync(unfinished);
      disk.closeSync(disk.openSync(unfinished, "create"));
      const whole = await this.#write(unfinished, 0, changes);
      if (whole) disk.renameSync(unfinished, layout.reserve);
      return whole;
    } finally {
      disk.unlinkSync(unfinished);
    }
  }

  async #fill(from: number, changes: number): Promise<boolean> {
    const { disk, layout } = this.#parts;
    let whole = false;
    try {
      whole = await this.#write(layout.reserve, from, changes);
      return whole;
    } finally {
      if (!whole) resize(disk, layout.reserve, this.#held ?? 0);
    }
  }

  /** Writes what is missing behind `from`; false: it was asked for meanwhile. */
  async #write(to: string, from: number, changes: number): Promise<boolean> {
    const { disk } = this.#parts;
    const file = disk.openSync(to, "write");
    try {
      // Not zeros: a disk that compresses would keep nothing back.
      const piece = randomFillSync(new Uint8Array(PIECE_OCTETS));
      for (let at = from; at < RESERVE_OCTETS; at += piece.byteLength) {
        await disk.write(file, piece.subarray(0, RESERVE_OCTETS - at), at);
        if (this.#changes !== changes) return false;
      }
      await disk.fdatasync(file);
      return this.#changes === changes;
    } finally {
      disk.closeSync(file);
    }
  }
}

/** Whether new mail must leave alone what was given up so that mail can be removed. */
export function isReserveSpent(disk: Disk, { reserve }: Layout): boolean {
  return (disk.octetsSync(reserve) ?? RESERVE_OCTETS) < RESERVE_OCTETS;
}

/** Whether the disk takes a little more. */
function hasRoom(disk: Disk, { reserve }: Layout): boolean {
  const probe = `${reserve}.probe`;
  try {
    disk.unlinkSync(probe);
    const file = disk.openSync(probe, "create");
    try {
      disk.writevSync(file, [new Uint8Array(PROBE_OCTETS)], 0);
    } finally {
      disk.closeSync(file);
      disk.unlinkSync(probe);
    }
    return true;
  } catch (cause) {
    if (!(cause instanceof DiskError)) throw cause;
    // Any other failure is not for want of room.
    return cause.kind !== "full";
  }
}

function resize(disk: Disk, name: string, octets: number): void {
  const file = disk.openSync(name, "write");
  try {
    disk.ftruncateSync(file, octets);
  } finally {
    disk.closeSync(file);
  }
}
