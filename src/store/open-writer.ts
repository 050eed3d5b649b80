import type { Clock } from "../lib/clock.ts";
import type { Result } from "../lib/result.ts";
import { err, ok } from "../lib/result.ts";
import type { Log } from "../observe/log-port.ts";
import type { Metrics } from "../observe/metrics-port.ts";
import type { Disk } from "./disk.ts";
import type { Layout } from "./layout.ts";
import { layoutOf } from "./layout.ts";
import type { Migrated } from "./open-database.ts";
import { migrate, refusalOf } from "./open-database.ts";
import type { OpenRefusal } from "./open-refusal.ts";
import type { AnnounceSegments } from "./reclaim.ts";
import { Reserve } from "./reserve.ts";
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
  /** Whether room is kept back for removals on a full disk: by a server, which looks after it. */
  readonly keepsReserve?: boolean;
};

type OpenedWriter = Result<{ readonly writer: Writer; readonly schema: Migrated }, OpenRefusal>;

/** Opens a store for writing: brings it to this program's schema, puts it in order, and gives its one writer. */
export async function openWriter(options: OpenWriterOptions): Promise<OpenedWriter> {
  const { folder, disk, log, keepsReserve = false } = options;
  const layout = layoutOf(folder);
  const reserve = new Reserve({ disk, layout, log, makes: keepsReserve });
  // Owners who are to make room by removing their mail need a server that has come up.
  while (reserve.hasRoom || reserve.giveUp()) {
    const opened = await openWith(options, layout, reserve);
    if (opened.ok || opened.error.sync === true) return opened;
    if ((opened.error.kind !== "full" && reserve.hasRoom) || !reserve.giveUp()) return opened;
  }
  // Where the file system's blocks are smaller than a page, SQLite's index of the log would end the process (SIGBUS).
  return err({ kind: "full", reason: "the disk is full" });
}

async function openWith(options: OpenWriterOptions, layout: Layout, reserve: Reserve): Promise<OpenedWriter> {
  const { disk, log, clock, rows = sqliteRows } = options;
  const opened = await rows.open(layout, disk);
  if (!opened.ok) return opened;
  const sql = opened.value.connection;
  try {
    const schema = await migrate(opened.value);
    await sweep(sql, disk, layout, clock.now());
    log.info("store.opened", { schema: schema.to, accounts: await countAccounts(sql) });
    return ok({ writer: new Writer({ ...options, sql, layout, reserve }), schema });
  } catch (cause) {
    sql[Symbol.dispose]();
    return err(refusalOf(cause));
  }
}
