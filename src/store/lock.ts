import type { Result } from "../lib/result.ts";

/** The hold on a data folder; disposing gives it back, and so does the death of the process. */
export type FolderLock = Disposable & { readonly folder: string };

/** "held": by another server. The others: the folder cannot be used, and why. */
export type LockRefusal = "held" | "missing" | "not-a-folder" | "read-only" | "full" | "failed";

/** Makes the data folder where there is none (mode 0700) and takes its lock (DESIGN "One server per folder"). */
export function lockFolder(folder: string): Result<FolderLock, LockRefusal> {
  throw new Error(`to be written: ${folder}`);
}
