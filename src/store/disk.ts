import fs from "node:fs";
import { constants } from "node:os";
import { dirname } from "node:path";
import { promisify } from "node:util";

/** What the disk refused. "full": no room or no quota; "missing": no such file or folder; "failed": anything else. */
export class DiskError extends Error {
  readonly kind: "full" | "missing" | "failed";
  /** Whether it was a sync: what was written before may be lost, and asking again would not tell. */
  readonly sync: boolean;

  constructor(
    kind: "full" | "missing" | "failed",
    message: string,
    options?: ErrorOptions & { readonly sync?: boolean },
  ) {
    super(message, options);
    this.name = "DiskError";
    this.kind = kind;
    this.sync = options?.sync ?? false;
  }
}

/**
 * The verbs by which the store touches files, so that a simulated disk can take their place. Every failure is a
 * DiskError. Writes either put all octets in place or throw; `position` is an offset in the file. Node's names: those
 * that end in Sync block, the others give promises.
 */
export type Disk = {
  /** "create": a new file, which must not be there yet. */
  openSync(path: string, how: "read" | "write" | "create"): number;
  closeSync(file: number): void;
  readSync(file: number, target: Uint8Array, position: number): number;
  read(file: number, target: Uint8Array, position: number): Promise<number>;
  writevSync(file: number, pieces: readonly Uint8Array[], position: number): void;
  write(file: number, piece: Uint8Array, position: number): Promise<void>;
  fdatasyncSync(file: number): void;
  fdatasync(file: number): Promise<void>;
  ftruncateSync(file: number, octets: number): void;
  renameSync(from: string, to: string): void;
  /** Harmless when it is not there. */
  unlinkSync(path: string): void;
  unlink(path: string): Promise<void>;
  /** Makes a folder for its owner only; harmless when it is there. */
  mkdirSync(path: string): void;
  /** Makes names in a folder durable: files created, renamed or removed there. */
  fsyncFolderSync(path: string): void;
  listSync(path: string): readonly string[];
  /** The octets of a file; undefined: there is none. */
  octetsSync(path: string): number | undefined;
  /** Octets that are free for us on the disk of a folder, and all that it has. */
  space(path: string): Promise<{ readonly free: number; readonly total: number }>;
};

/** What an upgrade needs besides: a copy of folders of which no octet is copied. */
export type Trees = {
  /** Gives a file a second name. */
  linkSync(from: string, to: string): void;
  /** Removes a folder and all in it; harmless when it is not there. */
  removeTreeSync(path: string): void;
};

/** The machine's own disk. */
export const systemDisk: Disk = {
  openSync: (path, how) => attempt("open", () => fs.openSync(path, FLAGS[how], 0o600)),
  closeSync: (file) => attempt("close", () => fs.closeSync(file)),
  readSync: (file, target, position) =>
    attempt("read", () => fs.readSync(file, target, 0, target.byteLength, position)),
  read: (file, target, position) =>
    attemptLater("read", async () => (await readFile(file, target, 0, target.byteLength, position)).bytesRead),
  writevSync: (file, pieces, position) => attempt("write", () => writeAll(file, pieces, position)),
  write: (file, piece, position) => attemptLater("write", () => writeAllLater(file, piece, position)),
  fdatasyncSync: (file) => attempt("sync", () => fs.fdatasyncSync(file)),
  fdatasync: (file) => attemptLater("sync", () => syncFile(file)),
  ftruncateSync: (file, octets) => attempt("truncate", () => fs.ftruncateSync(file, octets)),
  renameSync: (from, to) => attempt("rename", () => fs.renameSync(from, to)),
  unlinkSync: (path) => attempt("remove", () => fs.rmSync(path, { force: true })),
  unlink: (path) => attemptLater("remove", () => removeFile(path, { force: true })),
  mkdirSync: (path) => attempt("make a folder", () => makeFolder(path)),
  fsyncFolderSync: (path) => attempt("sync a folder", () => syncFolder(path)),
  listSync: (path) => attempt("list", () => fs.readdirSync(path)),
  octetsSync: (path) => attempt("look", () => fs.statSync(path, { throwIfNoEntry: false })?.size),
  space: (path) => attemptLater("say how full it is", () => spaceOf(path)),
};

/** The same for whole folders. */
export const systemTrees: Trees = {
  linkSync: (from, to) => attempt("give a file a second name", () => fs.linkSync(from, to)),
  removeTreeSync: (path) => attempt("remove", () => fs.rmSync(path, { recursive: true, force: true })),
};

const FLAGS = { read: "r", write: "r+", create: "wx+" } as const;
const readFile = promisify(fs.read);
const writeFile = promisify(fs.write);
const syncFile = promisify(fs.fdatasync);
const removeFile = promisify(fs.rm);
const statFolder = promisify(fs.statfs);

function attempt<T>(verb: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw diskError(verb, cause);
  }
}

async function attemptLater<T>(verb: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw diskError(verb, cause);
  }
}

function diskError(verb: string, cause: unknown): DiskError {
  if (cause instanceof DiskError) return cause;
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "unknown";
  return new DiskError(failureKind(cause), `the disk did not ${verb}: ${code}`, {
    cause,
    sync: verb.startsWith("sync"),
  });
}

/** What an error of the system means. libuv has no name for a quota that is used up, so its number tells. */
export function failureKind(cause: unknown): DiskError["kind"] {
  if (!(cause instanceof Error && "errno" in cause)) return "failed";
  switch (-Number(cause.errno)) {
    case constants.errno.ENOSPC:
    case constants.errno.EDQUOT:
      return "full";
    case constants.errno.ENOENT:
      return "missing";
    default:
      return "failed";
  }
}

// A write may come up short without an error: a full disk says so only when asked for the rest.
function writeAll(file: number, pieces: readonly Uint8Array[], position: number): void {
  let rest: readonly Uint8Array[] = pieces.filter((piece) => piece.byteLength > 0);
  let at = position;
  while (rest.length > 0) {
    const written = fs.writevSync(file, rest, at);
    if (written === 0) throw new DiskError("failed", "the disk took nothing");
    at += written;
    rest = behind(rest, written);
  }
}

function behind(pieces: readonly Uint8Array[], octets: number): readonly Uint8Array[] {
  let skip = octets;
  for (const [index, piece] of pieces.entries()) {
    if (skip < piece.byteLength) return [piece.subarray(skip), ...pieces.slice(index + 1)];
    skip -= piece.byteLength;
  }
  return [];
}

async function writeAllLater(file: number, piece: Uint8Array, position: number): Promise<void> {
  let done = 0;
  while (done < piece.byteLength) {
    const { bytesWritten } = await writeFile(file, piece, done, piece.byteLength - done, position + done);
    if (bytesWritten === 0) throw new DiskError("failed", "the disk took nothing");
    done += bytesWritten;
  }
}

async function spaceOf(path: string): Promise<{ readonly free: number; readonly total: number }> {
  const { bavail, blocks, bsize } = await statFolder(path);
  return { free: bavail * bsize, total: blocks * bsize };
}

// Not `recursive`: under a file system that takes no folders (/proc) that goes round for ever.
function makeFolder(folder: string): void {
  if (fs.statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true) return;
  const above = dirname(folder);
  if (above !== folder) makeFolder(above);
  fs.mkdirSync(folder, { mode: 0o700 });
}

function syncFolder(path: string): void {
  const folder = fs.openSync(path, "r");
  try {
    fs.fsyncSync(folder);
  } finally {
    fs.closeSync(folder);
  }
}
