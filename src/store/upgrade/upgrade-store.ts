import type { Result } from "../../lib/result.ts";
import { err, ok } from "../../lib/result.ts";
import type { Log } from "../../observe/log-port.ts";
import type { Metrics } from "../../observe/metrics-port.ts";
import type { Disk, Trees } from "../disk.ts";
import { DiskError, systemDisk, systemTrees } from "../disk.ts";
import { layoutOf } from "../layout.ts";
import { openDatabase, refusalOf } from "../open-database.ts";
import { openStore } from "../open.ts";
import type { OpenedDatabase } from "../rows.ts";
import { StoreError } from "../ports.ts";
import { SCHEMA_VERSION } from "../sql/migrations.ts";
import type { Picture } from "../sql/picture.ts";
import { takePicture } from "../sql/picture.ts";
import { migrateAsItWas } from "./migrate-as-it-was.ts";
import type { Tried } from "./try-on-copy.ts";
import { sweepTry } from "./try-folder.ts";
import { databaseOctets, tryOnCopy } from "./try-on-copy.ts";
import type { UpgradeProgress, Upgraded, UpgradeRefusal } from "./upgraded.ts";

export type UpgradeOptions = {
  readonly folder: string;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Whether all bodies are read, not some hundred. */
  readonly all: boolean;
  readonly progress: UpgradeProgress;
  readonly disk?: Disk;
  readonly trees?: Trees;
};

// Beside the copy: the log of its migration, and some to breathe.
const SLACK_OCTETS = 16 * 1024 * 1024;

/**
 * Brings a store to this program's schema, first a copy of it and then itself; whoever calls it holds the folder's lock.
 * Whatever goes wrong leaves the store as it was.
 */
export async function upgradeStore(options: UpgradeOptions): Promise<Result<Upgraded, UpgradeRefusal>> {
  const { folder, disk = systemDisk, trees = systemTrees } = options;
  try {
    sweepTry(folder, trees);
    const opened = await openDatabase(layoutOf(folder), disk);
    if (!opened.ok) return opened;
    const { connection, version: from } = opened.value;
    try {
      if (from === SCHEMA_VERSION) return ok({ kind: "current", from, to: from });
      if (from > 0) return await upgrade(opened.value, { ...options, disk, trees });
    } finally {
      connection[Symbol.dispose]();
    }
    return await makeStore({ ...options, disk });
  } catch (cause) {
    if (!(cause instanceof DiskError || cause instanceof StoreError)) throw cause;
    return err(refusalOf(cause));
  }
}

async function makeStore(options: UpgradeOptions): Promise<Result<Upgraded, UpgradeRefusal>> {
  const made = await openStore(options);
  if (!made.ok) return made;
  await made.value[Symbol.asyncDispose]();
  return ok({ kind: "made", ...made.value.schema });
}

type Parts = UpgradeOptions & Required<Pick<UpgradeOptions, "disk" | "trees">>;

async function upgrade(opened: OpenedDatabase, parts: Parts): Promise<Result<Upgraded, UpgradeRefusal>> {
  const { connection, version: from } = opened;
  const { folder, disk, progress } = parts;
  const needed = databaseOctets(connection) + SLACK_OCTETS;
  const { free } = await disk.space(folder);
  if (free < needed) return err({ kind: "no-room", reason: `${needed} octets are needed, ${free} are free` });
  const told = (step: "count" | "migrate") => (done: number, total: number) => progress({ step, done, total });
  const before = await takePicture(connection, told("count"));
  const tried = await tryAndSweep(before, opened, parts);
  if (!tried.ok) return tried;
  const migrated = await migrateAsItWas(connection, from, before, told("migrate"));
  if (!migrated.ok) return err({ kind: "differs", reason: migrated.error });
  const { counted: _, ...picture } = before;
  return ok({ kind: "migrated", from, to: SCHEMA_VERSION, ...picture, ...tried.value });
}

/** Whatever becomes of the copy, it goes. */
async function tryAndSweep(
  before: Picture,
  opened: OpenedDatabase,
  parts: Parts,
): Promise<Result<Tried, UpgradeRefusal>> {
  try {
    return await tryOnCopy(opened, before, parts);
  } finally {
    sweepTry(parts.folder, parts.trees);
  }
}
