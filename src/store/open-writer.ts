import type { Clock } from "../lib/clock.ts";
import type { Result } from "../lib/result.ts";
import { err, ok } from "../lib/result.ts";
import type { Log } from "../observe/log-port.ts";
import type { Metrics } from "../observe/metrics-port.ts";
import type { Disk } from "./disk.ts";
import { layoutOf } from "./layout.ts";
import type { Migrated } from "./open-database.ts";
import { migrate, refusalOf } from "./open-database.ts";
import type { OpenRefusal } from "./open-refusal.ts";
import type { AnnounceSegments } from "./reclaim.ts";
import type { Rows } from "./rows.ts";
import { sqliteRows } from "./rows.ts";
import { countAccounts } from "./sql/accounts.ts";
import { sweep } from "./sweep.ts";
import { Writer } from "./write/writer.ts";

export type OpenWriterOptions = {
  readonly folder: string;
  readonly disk: Disk;
  /** SQLite, where none is given. */
  readonly rows?: Rows;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly announce: AnnounceSegments;
};

/** Opens a store for writing: brings it to this program's schema, puts it in order, and gives its one writer. */
export async function openWriter(
  options: OpenWriterOptions,
): Promise<Result<{ readonly writer: Writer; readonly schema: Migrated }, OpenRefusal>> {
  const { folder, disk, log, clock, rows = sqliteRows } = options;
  const layout = layoutOf(folder);
  const opened = await rows.open(layout, disk);
  if (!opened.ok) return opened;
  const sql = opened.value.connection;
  try {
    const schema = await migrate(opened.value);
    await sweep(sql, disk, layout, clock.now());
    log.info("store.opened", { schema: schema.to, accounts: await countAccounts(sql) });
    return ok({ writer: new Writer({ ...options, sql, layout }), schema });
  } catch (cause) {
    sql[Symbol.dispose]();
    return err(refusalOf(cause));
  }
}
