import { compileStatement } from "./sql/compile.ts";
import { kyselyOver } from "./sql/dialect.ts";
import { migrationsAfter, SCHEMA_VERSION } from "./sql/migrations.ts";
import { readSchemaVersion, writeSchemaVersion } from "./sql/schema-version.ts";
import type { SqliteConnection } from "./sql/sqlite.ts";
import { openForWriting } from "./sql/sqlite.ts";
import { transaction } from "./sql/statement.ts";
import type { Result } from "../lib/result.ts";
import { err, ok } from "../lib/result.ts";
import type { Disk } from "./disk.ts";
import { DiskError } from "./disk.ts";
import type { Layout } from "./layout.ts";
import type { OpenRefusal } from "./open-refusal.ts";
import { StoreError } from "./ports.ts";
import type { OpenedDatabase } from "./rows.ts";
import { isFailedSync } from "./write/sync-watch.ts";

const REWRITE_OCTETS = 1024 * 1024;

/** Opens the database for writing and looks whether it is whole and not of a later program. */
export async function openDatabase(layout: Layout, disk: Disk): Promise<Result<OpenedDatabase, OpenRefusal>> {
  let connection: SqliteConnection | undefined;
  try {
    // A log that is still there was left by a crash; also a power cut, after which pages may be torn.
    const crashed = (disk.octetsSync(`${layout.database}-wal`) ?? 0) > 0;
    const lost = (disk.octetsSync(layout.database) ?? 0) === 0 && hasBodies(layout, disk);
    if (lost)
      return err({
        kind: "damaged",
        reason: "the database file mailkeep.db is gone or empty, but bodies of messages are there",
      });
    // SQLite would make it readable for all where the folder lets them in; its other files take its mode.
    if (disk.octetsSync(layout.database) === undefined) disk.closeSync(disk.openSync(layout.database, "create"));
    if (crashed) rewrite(disk, `${layout.database}-wal`);
    connection = openForWriting(layout.database, compileStatement);
    const damage = crashed ? findDamage(connection) : findTornEnd(connection, disk.octetsSync(layout.database) ?? 0);
    const version = damage === undefined ? await versionOf(connection) : 0;
    if (damage === undefined && version <= SCHEMA_VERSION) {
      if (crashed) emptyLog(connection);
      return ok({ connection, version });
    }
    connection[Symbol.dispose]();
    return err(
      damage === undefined
        ? { kind: "newer", reason: `the store has schema ${version}, this program knows up to ${SCHEMA_VERSION}` }
        : { kind: "damaged", reason: `the database file mailkeep.db is damaged: ${damage}` },
    );
  } catch (cause) {
    connection?.[Symbol.dispose]();
    return err(refusalOf(cause));
  }
}

/** The schema that was found when a store was opened, and the one it has now. 0: it was made. */
export type Migrated = { readonly from: number; readonly to: number };

/** Brings a database to this program's schema, each step in a transaction of its own. */
export async function migrate({ connection, version }: OpenedDatabase): Promise<Migrated> {
  if (version === 0) {
    connection.query("create table if not exists schema_version (version integer not null) strict");
    connection.query("insert into schema_version select 0 where not exists (select 1 from schema_version)");
  }
  const database = kyselyOver(connection);
  for (const [index, migration] of migrationsAfter(version).entries()) {
    await transaction(connection, async () => {
      await migration.up(database);
      await writeSchemaVersion(connection, version + index + 1);
    });
  }
  return { from: version, to: SCHEMA_VERSION };
}

/** What an error while opening means to the operator. */
export function refusalOf(cause: unknown): OpenRefusal {
  const reason = cause instanceof Error ? cause.message : String(cause);
  if (cause instanceof StoreError && cause.kind === "damaged") {
    // The statement that met the damage is no news to an operator; SQLite's own words are.
    const words = cause.cause instanceof Error ? cause.cause.message : reason;
    return { kind: "damaged", reason: `the database file mailkeep.db is damaged: ${words}` };
  }
  if (isFailedSync(cause)) return { kind: "failed", reason, sync: true };
  const full = (cause instanceof StoreError && cause.full) || (cause instanceof DiskError && cause.kind === "full");
  return { kind: full ? "full" : "failed", reason };
}

function hasBodies(layout: Layout, disk: Disk): boolean {
  return [layout.segments, layout.files].some(
    (folder) => disk.octetsSync(folder) !== undefined && disk.listSync(folder).length > 0,
  );
}

/**
 * Writes a file once more, as it is. After a failed sync of the last run the kernel may show a log that is not on disk, and that
 * no sync would write. A power cut would then take what was appended behind it (P1), or leave a database into which it was
 * copied beside a log that is older: no database any more. It takes no room, so a full disk does not hinder it.
 */
function rewrite(disk: Disk, path: string): void {
  const octets = new Uint8Array(REWRITE_OCTETS);
  const file = disk.openSync(path, "write");
  try {
    for (let at = 0; ;) {
      const piece = octets.subarray(0, disk.readSync(file, octets, at));
      if (piece.byteLength === 0) break;
      disk.writevSync(file, [piece], at);
      at += piece.byteLength;
    }
    disk.fdatasyncSync(file);
  } finally {
    disk.closeSync(file);
  }
}

/** Writes what the log of the last run holds to the database, and begins it anew: nothing of this run stands behind a crash. */
function emptyLog(connection: SqliteConnection): void {
  try {
    connection.settle(true);
  } catch (cause) {
    // A full disk has room for it once mail was removed, and the server is needed for that.
    if (!(cause instanceof StoreError && cause.full)) throw cause;
  }
}

function findDamage(connection: SqliteConnection): string | undefined {
  const [row] = connection.query("pragma quick_check(1)");
  const answer = String(row?.["quick_check"]);
  // Its first line says only of which database it speaks.
  return answer === "ok" ? undefined : answer.replace(/^\*\*\*.*\*\*\*\n/, "");
}

// SQLite takes the missing octets of a last page for zeros, and complains only where that page is read and needs them. A file
// whose log is there may end so: a crash came while the log was copied into it, and the rest is in the log.
function findTornEnd(connection: SqliteConnection, octets: number): string | undefined {
  const pageOctets = Number(connection.query("pragma page_size")[0]?.["page_size"]);
  return octets % pageOctets === 0 ? undefined : "it ends in the middle of a page";
}

async function versionOf(connection: SqliteConnection): Promise<number> {
  const tables = connection.query("select name from sqlite_schema where type = 'table'").map((row) => row["name"]);
  if (tables.includes("schema_version")) return readSchemaVersion(connection);
  if (tables.length > 0) throw new StoreError("damaged", "the database is not one of Mailkeep");
  return 0;
}
