import path from "node:path";
import type { Trees } from "../disk.ts";
import { DiskError, systemTrees } from "../disk.ts";

/** Where the copy of a store is made that a migration is tried on. */
export function tryFolder(folder: string): string {
  return path.join(folder, "migrate-try");
}

/**
 * Removes what an upgrade left that came to no end, for it keeps the octets of mail that is removed since; who holds the
 * folder's lock may. What cannot be removed now is tried again at the next start.
 */
export function sweepTry(folder: string, trees: Trees = systemTrees): void {
  try {
    trees.removeTreeSync(tryFolder(folder));
  } catch (cause) {
    if (!(cause instanceof DiskError)) throw cause;
  }
}
