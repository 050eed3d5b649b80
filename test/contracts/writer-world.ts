import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { crc32 } from "node:zlib";
import { systemClock } from "../../src/lib/clock.ts";
import type { AccountId, MailboxId } from "../../src/model/ids.ts";
import { recordingLog, testMetrics } from "../../src/observe/testing.ts";
import { openSpool } from "../../src/store/bodies/spool.ts";
import { systemDisk } from "../../src/store/disk.ts";
import type { Layout } from "../../src/store/layout.ts";
import { layoutOf } from "../../src/store/layout.ts";
import { migrate, openDatabase } from "../../src/store/open-database.ts";
import type { Delivery } from "../../src/store/ports.ts";
import { sweep } from "../../src/store/sweep.ts";
import { writeVerbs } from "../../src/store/write/verbs.ts";
import { Writer } from "../../src/store/write/writer.ts";

/** A writer over a store of its own with one account, ann, whose ids are 1. */
export async function writerWorld() {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "mailkeep-writer-"));
  const layout = layoutOf(folder);
  const opened = await openDatabase(layout, systemDisk);
  assert.ok(opened.ok);
  const sql = opened.value.connection;
  await migrate(opened.value);
  await sweep(sql, systemDisk, layout, 0);
  const { log, events } = recordingLog();
  const { metrics, sample } = testMetrics();
  const parts = { sql, disk: systemDisk, layout, log, metrics, clock: systemClock, announce: () => undefined };
  const writer = new Writer(parts);
  const store = writeVerbs((request) => writer.submit(request));
  await store.addDomain("example.test" as never, 1);
  const quota = { octets: null, messages: null };
  await store.addAccounts([{ address: "ann@example.test" as never, secret: "", enabled: true, quota }], 1);
  const pages = () => Number(sql.query("pragma page_count")[0]?.["page_count"]);
  return {
    sql,
    layout,
    writer,
    store,
    events,
    sample,
    pages,
    [Symbol.asyncDispose]: async () => {
      await writer[Symbol.asyncDispose]();
      fs.rmSync(folder, { recursive: true });
    },
  };
}

/** A delivery to ann's INBOX. */
export function delivery(text: string): Delivery {
  const octets = Buffer.from(text);
  const buffer = new ArrayBuffer(64 + octets.length);
  new Uint8Array(buffer).set(octets, 64);
  const sha256 = createHash("sha256").update(octets).digest();
  return {
    body: { kind: "memory", buffer, start: 64, octets: octets.length, crc32: crc32(octets), sha256, dotted: false },
    received: 1,
    octetsDowngraded: octets.length,
    recipients: [{ account: 1 as AccountId, mailbox: 1 as MailboxId, quota: null, uidl: "u".repeat(60) }],
  };
}

/** A delivery whose body is a file of its own, spooled and synced. */
export async function largeDelivery(layout: Layout, text: string): Promise<Delivery> {
  const spool = await openSpool(systemDisk, layout);
  await spool.write(Buffer.from(text));
  return { ...delivery(text), body: await spool.finish(Buffer.from("Head: 1\r\n")) };
}
