import type { Result } from "../lib/result.ts";
import { err, ok } from "../lib/result.ts";
import type { Disk } from "./disk.ts";
import { systemDisk } from "./disk.ts";
import { layoutOf } from "./layout.ts";
import { migrate, openDatabase, refusalOf } from "./open-database.ts";
import type { OpenRefusal } from "./open-refusal.ts";
import { SCHEMA_VERSION } from "./sql/migrations.ts";

/**
 * Brings the store of a data folder to this program's schema, making it where there is none (`from` is then 0). Who
 * calls holds the folder's lock.
 */
export async function migrateStore(
  folder: string,
  disk: Disk = systemDisk,
): Promise<Result<{ readonly from: number; readonly to: number }, OpenRefusal>> {
  const opened = await openDatabase(layoutOf(folder), disk);
  if (!opened.ok) return opened;
  using connection = opened.value.connection;
  try {
    await migrate({ ...opened.value, connection });
    return ok({ from: opened.value.version, to: SCHEMA_VERSION });
  } catch (cause) {
    return err(refusalOf(cause));
  }
}
