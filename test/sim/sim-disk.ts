import path from "node:path";
import type { Disk } from "../../src/store/disk.ts";
import { DiskError } from "../../src/store/disk.ts";
import type { Random } from "../e2e/harness/random.ts";
import type { FileSystem } from "./file-system.ts";
import { SystemError } from "./file-system.ts";
import type { Fault, Process } from "./process.ts";
import { never } from "./process.ts";
import { SimFolder } from "./sim-folder.ts";

/** What a verb does: all of it, or a share of it before it fails. Without `part` it is done whole or not at all. */
type Work<T> = {
  readonly whole: () => T;
  readonly part?: (share: number) => void;
  /** What a read gives that comes up short. */
  readonly short?: (share: number) => T;
  /** What a read gives with a bit that has turned. */
  readonly rotten?: () => T;
};

/** The disk of a machine as one process has it. */
export function simDisk(files: FileSystem, process: Process, random: Random): Disk {
  const now = <T>(verb: keyof Disk, where: string | number, work: Work<T>): T => {
    const at = typeof where === "string" ? where : files.pathOf(where);
    return perform(verb, process.enter(verb, at), work);
  };
  const later = <T>(verb: keyof Disk, where: string | number, work: Work<T>): Promise<T> =>
    process.alive ? process.hooks.later(() => now(verb, where, work)) : never();
  const reading = (file: number, target: Uint8Array, position: number): Work<number> => ({
    whole: () => files.read(file, target, position),
    short: (share) => {
      const octets = Math.max(1, Math.floor(target.byteLength * share));
      return files.read(file, target.subarray(0, octets), position);
    },
    rotten: () => {
      const octets = files.read(file, target, position);
      const at = random.between(0, Math.max(0, octets - 1));
      if (octets > 0) target[at] = (target[at] ?? 0) ^ (1 << random.between(0, 7));
      return octets;
    },
  });
  const writing = (file: number, pieces: readonly Uint8Array[], position: number): Work<void> => ({
    whole: () => writeAll(files, file, pieces, position),
    part: (share) => writeAll(files, file, firstOf(pieces, share), position),
  });
  const syncing = (file: number): Work<void> => ({
    whole: () => files.sync(file),
    part: (share) => files.failSync(file, share, random),
  });
  const removing = (at: string): Work<void> => ({ whole: () => unless(["ENOENT"], () => files.unlink(at)) });
  return {
    openSync: (at, how) => now("openSync", at, { whole: () => files.open(at, how) }),
    // Linux: a descriptor is gone whatever close() says.
    closeSync: (file) => now("closeSync", file, { whole: () => files.close(file), part: () => files.close(file) }),
    readSync: (file, target, position) => now("readSync", file, reading(file, target, position)),
    read: (file, target, position) => later("read", file, reading(file, target, position)),
    writevSync: (file, pieces, position) => now("writevSync", file, writing(file, pieces, position)),
    write: (file, piece, position) => later("write", file, writing(file, [piece], position)),
    fdatasyncSync: (file) => now("fdatasyncSync", file, syncing(file)),
    fdatasync: (file) => later("fdatasync", file, syncing(file)),
    ftruncateSync: (file, octets) => now("ftruncateSync", file, { whole: () => files.truncate(file, octets) }),
    renameSync: (from, to) => now("renameSync", from, { whole: () => files.rename(from, to) }),
    unlinkSync: (at) => now("unlinkSync", at, removing(at)),
    unlink: (at) => later("unlink", at, removing(at)),
    mkdirSync: (at) => now("mkdirSync", at, { whole: () => makeFolder(files, at) }),
    fsyncFolderSync: (at) =>
      now("fsyncFolderSync", at, {
        whole: () => files.syncFolder(at),
        part: (share) => files.failSyncFolder(at, share, random),
      }),
    listSync: (at) => now("listSync", at, { whole: () => files.folder(at).names }),
    octetsSync: (at) => now("octetsSync", at, { whole: () => octetsOf(files, at) }),
    space: (at) => later("space", at, { whole: () => ({ free: files.free, total: files.capacity }) }),
  };
}

const WORDS: Readonly<Record<keyof Disk, string>> = {
  openSync: "open",
  closeSync: "close",
  readSync: "read",
  read: "read",
  writevSync: "write",
  write: "write",
  fdatasyncSync: "sync",
  fdatasync: "sync",
  ftruncateSync: "truncate",
  renameSync: "rename",
  unlinkSync: "remove",
  unlink: "remove",
  mkdirSync: "make a folder",
  fsyncFolderSync: "sync a folder",
  listSync: "list",
  octetsSync: "look",
  space: "say how full it is",
};

function perform<T>(verb: keyof Disk, fault: Fault | undefined, work: Work<T>): T {
  try {
    if (fault === undefined) return work.whole();
    if (fault === "rot") return work.rotten === undefined ? work.whole() : work.rotten();
    if (typeof fault === "object" && "short" in fault) return work.short?.(fault.short) ?? work.whole();
    const { error, after } = typeof fault === "object" ? fault : { error: fault, after: 0 };
    if (work.part !== undefined) work.part(after);
    else if (after >= 1) work.whole();
    throw new SystemError(error === "full" ? "ENOSPC" : "EIO", "made to fail");
  } catch (cause) {
    if (!(cause instanceof SystemError)) throw cause;
    const kind = cause.code === "ENOSPC" ? "full" : cause.code === "ENOENT" ? "missing" : "failed";
    const sync = WORDS[verb].startsWith("sync");
    throw new DiskError(kind, `the disk did not ${WORDS[verb]}: ${cause.code}`, { cause, sync });
  }
}

function writeAll(files: FileSystem, file: number, pieces: readonly Uint8Array[], position: number): void {
  let at = position;
  for (const piece of pieces) {
    files.write(file, piece, at);
    at += piece.byteLength;
  }
}

function firstOf(pieces: readonly Uint8Array[], share: number): readonly Uint8Array[] {
  let left = Math.floor(pieces.reduce((octets, piece) => octets + piece.byteLength, 0) * share);
  return pieces.map((piece) => {
    const part = piece.subarray(0, left);
    left -= part.byteLength;
    return part;
  });
}

/** What it gives, unless a system call says one of these. */
function unless<T>(codes: readonly string[], work: () => T): T | undefined {
  try {
    return work();
  } catch (cause) {
    if (!(cause instanceof SystemError && codes.includes(cause.code))) throw cause;
    return undefined;
  }
}

function makeFolder(files: FileSystem, at: string): void {
  if (files.look(at) instanceof SimFolder) return;
  const above = path.dirname(at);
  if (above !== at) makeFolder(files, above);
  files.mkdir(at);
}

function octetsOf(files: FileSystem, at: string): number | undefined {
  const found = unless(["ENOTDIR"], () => files.look(at));
  return found instanceof SimFolder ? 4096 : found?.size;
}
