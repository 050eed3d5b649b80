import { createHash, hash } from "node:crypto";
import { closeSync, fsyncSync, mkdirSync, openSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { crc32 } from "node:zlib";
import { BODY_HEAD_OCTETS } from "../../../src/model/body.ts";
import type { AccountId, BodyId, MailboxId, SegmentId, Uid } from "../../../src/model/ids.ts";
import { uidl } from "../../../src/model/message.ts";
import { writeBodyHead } from "../../../src/store/bodies/body-head.ts";
import { layoutOf, segmentPath } from "../../../src/store/layout.ts";
import { sumOfBody } from "../../../src/store/sql/bodies.ts";
import { sumOfMailbox } from "../../../src/store/sql/mailboxes.ts";
import { rowCrc } from "../../../src/store/sql/row-crc.ts";
import { Random } from "../../e2e/harness/random.ts";

/** What a client has to be told of a seeded maildrop. */
export type Seeded = {
  readonly messages: number;
  readonly octets: number;
  /** Of the lines that LIST and UIDL answer. */
  readonly listDigest: string;
  readonly uidlDigest: string;
};

const SEGMENT_OCTETS = 16 * 1024 * 1024;
const RECEIVED = 1_760_000_000_000;

/** Every `uidStep`th uid is a message's: a maildrop from which others were removed before. */
export type SeedOptions = { readonly messages: number; readonly uidStep: number; readonly seed: number };

/**
 * Fills an empty INBOX of a store that no server runs on, by SQL: as so many deliveries would have left it, each message
 * with a body of its own, but in seconds.
 */
export function seedMaildrop(folder: string, address: string, options: SeedOptions): Seeded {
  using sql = new DatabaseSync(layoutOf(folder).database);
  // Only the figures are wanted of it, so what a power cut did to this file does not matter.
  sql.exec("pragma synchronous = off; pragma cache_size = -131072; begin");
  const row = sql
    .prepare(
      `select mailbox.id as mailbox, account.id as account from mailbox
       join account on account.id = mailbox.account where address = ? and name = 'INBOX'`,
    )
    .get(address);
  const mailbox = Number(row?.["mailbox"]) as MailboxId;
  const account = Number(row?.["account"]) as AccountId;
  const seeded = new Filling(sql, folder, { mailbox, account }).fill(options);
  sql.exec("commit; pragma wal_checkpoint(truncate)");
  // Else the server's first sync would wait for all that was written here.
  sync(layoutOf(folder).database);
  return seeded;
}

class Filling {
  readonly #sql: DatabaseSync;
  readonly #folder: string;
  readonly #owner: { readonly mailbox: MailboxId; readonly account: AccountId };
  readonly #segment = Buffer.alloc(SEGMENT_OCTETS);
  #segmentId: SegmentId;
  #used = 0;

  constructor(sql: DatabaseSync, folder: string, owner: { mailbox: MailboxId; account: AccountId }) {
    this.#sql = sql;
    this.#folder = folder;
    this.#owner = owner;
    this.#segmentId = this.#take("segment", 1) as SegmentId;
    mkdirSync(layoutOf(folder).segments, { recursive: true });
  }

  fill({ messages, uidStep, seed }: SeedOptions): Seeded {
    const random = new Random(seed);
    const first = this.#take("body", messages);
    const [list, ids] = [new Lines(), new Lines()];
    const insertBody = this.#sql.prepare(
      `insert into body (id, segment, offset, octets, crc32, sha256, encoding, dotted, refs, sum)
       values (?,?,?,?,?,?,0,0,1,?)`,
    );
    const insertMessage = this.#sql.prepare(
      `insert into message (mailbox, uid, octets, octets_downgraded, uidl_tag, uidl, body, body_key, received, row_crc)
       values (?,?,?,?,?,null,?,null,?,?)`,
    );
    const { mailbox } = this.#owner;
    let octets = 0;
    for (let index = 0; index < messages; index += 1) {
      const text = textOf(index, random);
      const body = (first + index) as BodyId;
      const sha256 = hash("sha256", text, "buffer");
      const offset = this.#place(body, text, sha256);
      const extent = { id: body, segment: this.#segmentId, offset, octets: text.length, crc32: crc32(text) };
      const sum = sumOfBody({ ...extent, dotted: 0, refs: 1 });
      insertBody.run(body, this.#segmentId, offset, text.length, extent.crc32, sha256, sum);
      const uid = (1 + index * uidStep) as Uid;
      const row = {
        mailbox,
        uid,
        octets: text.length,
        octets_downgraded: text.length,
        body,
        received: RECEIVED + index,
      };
      const tag = random.between(0, 0xffffffff);
      const crc = rowCrc({ ...row, uidl_tag: tag, uidl: null, body_key: null });
      insertMessage.run(mailbox, uid, text.length, text.length, tag, body, row.received, crc);
      octets += text.length;
      list.add(`${index + 1} ${text.length}\r\n`);
      ids.add(`${index + 1} ${uidl(uid, tag)}\r\n`);
    }
    this.#writeSegment();
    this.#sql
      .prepare("update mailbox set next_uid = ?, messages = ?, octets = ?, octets_downgraded = ? where id = ?")
      .run(messages * uidStep + 1, messages, octets, octets, mailbox);
    const counters = this.#sql.prepare("select * from mailbox where id = ?").get(mailbox);
    this.#sql.prepare("update mailbox set sum = ? where id = ?").run(sumOfMailbox(counters as never), mailbox);
    return { messages, octets, listDigest: list.digest(), uidlDigest: ids.digest() };
  }

  /** Puts a body behind its head; gives where it begins. */
  #place(body: BodyId, text: Buffer, sha256: Buffer): number {
    const octets = BODY_HEAD_OCTETS + text.length;
    if (this.#used + octets > SEGMENT_OCTETS) {
      this.#writeSegment();
      this.#segmentId = this.#take("segment", 1) as SegmentId;
      this.#used = 0;
    }
    const at = this.#segment.subarray(this.#used);
    writeBodyHead(at, { body, octets: text.length, sha256, account: this.#owner.account });
    text.copy(at, BODY_HEAD_OCTETS);
    this.#used += octets;
    return this.#used - text.length;
  }

  #writeSegment(): void {
    const file = segmentPath(layoutOf(this.#folder), this.#segmentId);
    writeFileSync(file, this.#segment.subarray(0, this.#used), { flush: true });
    this.#sql
      .prepare("insert into segment (id, live, total, sealed, dead_since) values (?, ?, ?, 1, null)")
      .run(this.#segmentId, this.#used, this.#used);
  }

  #take(name: string, count: number): number {
    const row = this.#sql
      .prepare("update high_water set value = value + ? where name = ? returning value")
      .get(count, name);
    return Number(row?.["value"]) - count + 1;
  }
}

function sync(file: string): void {
  const descriptor = openSync(file, "r+");
  fsyncSync(descriptor);
  closeSync(descriptor);
}

/** A digest of many short lines. */
class Lines {
  readonly #hash = createHash("sha256");
  #held = "";

  add(line: string): void {
    this.#held += line;
    if (this.#held.length < 65_536) return;
    this.#hash.update(this.#held);
    this.#held = "";
  }

  digest(): string {
    return this.#hash.update(this.#held).digest("hex");
  }
}

function textOf(index: number, random: Random): Buffer {
  return Buffer.from(`Subject: message ${index + 1}\r\n\r\n${"x".repeat(random.between(0, 99))}\r\n`);
}
