import path from "node:path";
import { err, ok, type Result } from "../lib/result.ts";
import type { Disk } from "./disk.ts";
import { DiskError, systemDisk } from "./disk.ts";
import { layoutOf } from "./layout.ts";
import { StoreError } from "./ports.ts";
import { holdExclusively } from "./sql/sqlite.ts";

/** The hold on a data folder; disposing gives it back, and so does the death of the process. */
export type FolderLock = Disposable & { readonly folder: string };

/** "held": by another server. The others: the folder cannot be used, and why. */
export type LockRefusal = "held" | "missing" | "not-a-folder" | "read-only" | "full" | "failed";

/** Makes the data folder where there is none (mode 0700) and takes its lock (DESIGN "One server per folder"). */
export function lockFolder(folder: string, disk: Disk = systemDisk): Result<FolderLock, LockRefusal> {
  try {
    makeFolder(folder, disk);
    const probe = `${layoutOf(folder).lock}.${process.pid}`;
    // SQLite's own words for a folder that takes no file do not tell why.
    disk.unlinkSync(probe);
    disk.closeSync(disk.openSync(probe, "create"));
    disk.unlinkSync(probe);
    const connection = holdExclusively(layoutOf(folder).lock);
    if (connection === undefined) return err("held");
    return ok({ folder, [Symbol.dispose]: () => connection[Symbol.dispose]() });
  } catch (cause) {
    return err(reasonOf(cause));
  }
}

/** Makes a folder and those above it; mail in a folder whose name a power cut takes away would be gone (P1). */
function makeFolder(folder: string, disk: Disk): void {
  if (disk.octetsSync(folder) !== undefined) return;
  const above = path.dirname(folder);
  if (above !== folder) makeFolder(above, disk);
  disk.mkdirSync(folder);
  disk.fsyncFolderSync(above);
}

function reasonOf(cause: unknown): LockRefusal {
  if (cause instanceof StoreError) return cause.full ? "full" : "failed";
  if (!(cause instanceof DiskError)) throw cause;
  if (cause.kind !== "failed") return cause.kind;
  const code = cause.cause instanceof Error && "code" in cause.cause ? cause.cause.code : undefined;
  if (code === "EROFS" || code === "EACCES" || code === "EPERM") return "read-only";
  return code === "ENOTDIR" || code === "EEXIST" ? "not-a-folder" : "failed";
}
