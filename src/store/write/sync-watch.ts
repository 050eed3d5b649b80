import type { Disk } from "../disk.ts";
import { DiskError } from "../disk.ts";
import { StoreError } from "../ports.ts";
import type { RowsConnection } from "../sql/statement.ts";

/** Told of each sync that failed, wherever in the writer it was asked for. */
export type FailedSync = (reason: string) => void;

/** Whether a failure is one of a sync: then nobody knows what of all that was written before is on disk. */
export function isFailedSync(cause: unknown): cause is DiskError | StoreError {
  return (cause instanceof DiskError || cause instanceof StoreError) && cause.sync;
}

/** A disk that tells of failed syncs, so that no caller can forget to. */
export function watchedDisk(disk: Disk, failed: FailedSync): Disk {
  return {
    ...disk,
    fdatasyncSync: (file) => watch(() => disk.fdatasyncSync(file), failed),
    fsyncFolderSync: (path) => watch(() => disk.fsyncFolderSync(path), failed),
  };
}

/** The same for the connection to the rows. */
export function watchedRows(rows: RowsConnection, failed: FailedSync): RowsConnection {
  return {
    all: (statement, parameters) => rows.all(statement, parameters),
    arrays: (statement, parameters) => rows.arrays(statement, parameters),
    first: (statement, parameters) => rows.first(statement, parameters),
    run: (statement, parameters) => rows.run(statement, parameters),
    begin: () => watch(() => rows.begin(), failed),
    commit: () => watch(() => rows.commit(), failed),
    rollback: () => rows.rollback(),
    inTransaction: () => rows.inTransaction(),
    mark: () => rows.mark(),
    keep: () => rows.keep(),
    undo: () => rows.undo(),
    unsettledPages: () => rows.unsettledPages(),
    settle: (whole) => watch(() => rows.settle(whole), failed),
    query: (text, values) => rows.query(text, values),
    [Symbol.dispose]: () => rows[Symbol.dispose](),
  };
}

function watch<T>(work: () => T, failed: FailedSync): T {
  try {
    return work();
  } catch (cause) {
    if (isFailedSync(cause)) failed(cause.message);
    throw cause;
  }
}
