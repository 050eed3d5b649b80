import path from "node:path";
import type { Result } from "../../lib/result.ts";
import { err, ok } from "../../lib/result.ts";
import type { Log } from "../../observe/log-port.ts";
import type { Metrics } from "../../observe/metrics-port.ts";
import { BodyReader } from "../bodies/body-reader.ts";
import type { Disk, Trees } from "../disk.ts";
import { DiskError } from "../disk.ts";
import type { Layout } from "../layout.ts";
import { layoutOf } from "../layout.ts";
import type { OpenStore } from "../open.ts";
import { openStore } from "../open.ts";
import { openDatabase } from "../open-database.ts";
import type { Store } from "../ports.ts";
import type { Picture } from "../sql/picture.ts";
import type { OpenedDatabase } from "../rows.ts";
import type { RowsConnection } from "../sql/statement.ts";
import { migrateAsItWas } from "./migrate-as-it-was.ts";
import { isWhole, readBodies, SAMPLE } from "./read-bodies.ts";
import { tryFolder } from "./try-folder.ts";
import type { UpgradeProgress, UpgradeRefusal } from "./upgraded.ts";

export type TryParts = {
  readonly folder: string;
  readonly disk: Disk;
  readonly trees: Trees;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly all: boolean;
  readonly progress: UpgradeProgress;
};

/** What was found on the copy; `bodiesDamaged`: not what was delivered, neither there nor in the store itself. */
export type Tried = { readonly octetsCopied: number; readonly bodiesRead: number; readonly bodiesDamaged: number };

const ACCOUNTS_AT_ONCE = 500;

/**
 * Copies the database, gives the bodies second names, and migrates that: it must hold the same as before, open as a store,
 * and give the bodies that are read.
 */
export async function tryOnCopy(
  { connection: original, version }: OpenedDatabase,
  before: Picture,
  parts: TryParts,
): Promise<Result<Tried, UpgradeRefusal>> {
  const { folder, disk } = parts;
  const layout = layoutOf(tryFolder(folder));
  const octetsCopied = copyDatabase(original, layout, parts);
  const linked = linkBodies(layoutOf(folder), layout, parts);
  if (!linked.ok) return linked;
  const opened = await openDatabase(layout, disk);
  if (!opened.ok) return differs(`the copy does not open: ${opened.error.reason}`);
  using connection = opened.value.connection;
  const migrated = await migrateAsItWas(connection, version, before, (done, total) =>
    parts.progress({ step: "try", done, total }),
  );
  if (!migrated.ok) return differs(migrated.error);
  const read = await readThere(connection, before, parts);
  if (!read.ok) return read;
  const served = await openAsStore(before, parts);
  return served === undefined ? ok({ octetsCopied, ...read.value }) : differs(served);
}

function differs(reason: string): Result<never, UpgradeRefusal> {
  return err({ kind: "differs", reason });
}

function copyDatabase(original: RowsConnection, layout: Layout, { disk, progress }: TryParts): number {
  const folder = path.dirname(layout.database);
  const total = databaseOctets(original);
  progress({ step: "copy", done: 0, total });
  disk.mkdirSync(folder);
  // An empty file that is there is filled, and keeps its mode: SQLite's own would be readable for all.
  disk.closeSync(disk.openSync(layout.database, "create"));
  original.query("vacuum into ?", [layout.database]);
  progress({ step: "copy", done: total, total });
  return disk.octetsSync(layout.database) ?? 0;
}

/** The octets of a database, those of its free pages too. */
export function databaseOctets(sql: RowsConnection): number {
  const pages = Number(sql.query("pragma page_count")[0]?.["page_count"]);
  return pages * Number(sql.query("pragma page_size")[0]?.["page_size"]);
}

function linkBodies(from: Layout, to: Layout, { disk, trees, progress }: TryParts): Result<number, UpgradeRefusal> {
  let linked = 0;
  for (const [folder, copy] of bodyFolders(from, to, disk)) {
    disk.mkdirSync(copy);
    for (const name of disk.listSync(folder)) {
      try {
        trees.linkSync(path.join(folder, name), path.join(copy, name));
      } catch (cause) {
        if (!(cause instanceof DiskError) || cause.kind === "full") throw cause;
        return err({ kind: "no-links", reason: cause.message });
      }
      linked += 1;
      progress({ step: "link", done: linked, total: linked });
    }
  }
  return ok(linked);
}

function bodyFolders(from: Layout, to: Layout, disk: Disk): readonly (readonly [string, string])[] {
  const there = (folder: string): boolean => disk.octetsSync(folder) !== undefined;
  const own = there(from.files) ? disk.listSync(from.files).filter((name) => /^[0-9a-f]{2}$/.test(name)) : [];
  return [
    ...(there(from.segments) ? [[from.segments, to.segments] as const] : []),
    ...own.map((name) => [path.join(from.files, name), path.join(to.files, name)] as const),
  ];
}

async function readThere(
  connection: RowsConnection,
  before: Picture,
  { folder, disk, all, progress }: TryParts,
): Promise<Result<Pick<Tried, "bodiesRead" | "bodiesDamaged">, UpgradeRefusal>> {
  const total = all ? before.bodies : Math.min(before.bodies, SAMPLE);
  const told = (done: number): void => progress({ step: "bodies", done, total });
  const read = await readBodies(connection, { disk, layout: layoutOf(tryFolder(folder)), all, progress: told });
  using reader = new BodyReader(disk, layoutOf(folder));
  for (const place of read.damaged) {
    if (isWhole(reader, place)) return differs(`body ${place.body} is not on the copy as it is in the store`);
  }
  return ok({ bodiesRead: read.read, bodiesDamaged: read.damaged.length });
}

/** Opens the copy as a server would; gives what is wrong with it. */
async function openAsStore(before: Picture, { folder, disk, log, metrics }: TryParts): Promise<string | undefined> {
  const opened = await openStore({ folder: tryFolder(folder), disk, log, metrics });
  if (!opened.ok) return `the copy does not open as a store: ${opened.error.reason}`;
  await using store: OpenStore = opened.value;
  const held = await holdings(store);
  const { messages, octets } = before.counted;
  if (held.messages === messages && held.octets === octets && held.accounts === before.accounts) return undefined;
  return `the copy gives ${held.accounts} accounts with ${held.messages} messages of ${held.octets} octets, not ${before.accounts} with ${messages} of ${octets}`;
}

async function holdings({ directory, mail }: Store): Promise<{ accounts: number; messages: number; octets: number }> {
  const held = { accounts: 0, messages: 0, octets: 0 };
  for (let after; ;) {
    const page = await directory.accounts({ limit: ACCOUNTS_AT_ONCE, ...(after === undefined ? {} : { after }) });
    for (const { address, inbox, junk } of page) {
      for (const mailbox of [inbox, junk]) {
        const snapshot = await mail.snapshot(mailbox);
        held.messages += snapshot?.messages ?? 0;
        held.octets += snapshot?.octets ?? 0;
      }
      held.accounts += 1;
      after = address;
    }
    if (page.length < ACCOUNTS_AT_ONCE) return held;
  }
}
