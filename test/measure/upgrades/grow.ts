import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { crc32 } from "node:zlib";
import { BODY_HEAD_OCTETS } from "../../../src/model/body.ts";
import type { AccountId, BodyId, MailboxId, SegmentId, Uid } from "../../../src/model/ids.ts";
import { uidl } from "../../../src/model/message.ts";
import { writeBodyHead } from "../../../src/store/bodies/body-head.ts";
import { layoutOf, segmentPath } from "../../../src/store/layout.ts";
import { rowCrc } from "../../../src/store/sql/row-crc.ts";
import type { Fixture, KeptMessage } from "../../contracts/earlier/fixture.ts";
import { layOut } from "../../contracts/earlier/fixture.ts";

const SEGMENT_OCTETS = 16 * 1024 * 1024;
const BODY_OCTETS = 2000;
const PIECE_OCTETS = BODY_HEAD_OCTETS + BODY_OCTETS;
const PIECES = Math.floor(SEGMENT_OCTETS / PIECE_OCTETS);
const RECEIVED = 1_700_000_000_000;

/** The maildrop that grows: its next uid, and the next ids of its store. */
type Place = {
  readonly account: AccountId;
  readonly mailbox: MailboxId;
  readonly uid: number;
  readonly body: number;
  readonly segment: number;
};

/**
 * Lays out a fixture's store and adds many more messages to its first maildrop, each with a body of its own, in the tables of
 * the first schema. Gives what the fixture then holds.
 */
export function layOutGrown(fixture: Fixture, folder: string, messages: number): Fixture {
  layOut(fixture, folder);
  using database = new DatabaseSync(path.join(folder, "mailkeep.db"));
  const place = placeOf(database);
  const added: KeptMessage[] = [];
  database.exec("begin");
  for (let from = 0; from < messages; from += PIECES) {
    const count = Math.min(PIECES, messages - from);
    added.push(...addSegment(database, folder, place, from, count));
  }
  const octets = messages * BODY_OCTETS;
  database.exec(`
    update mailbox set next_uid = next_uid + ${messages}, messages = messages + ${messages},
      octets = octets + ${octets}, octets_downgraded = octets_downgraded + ${octets} where id = ${place.mailbox};
    update high_water set value = value + ${messages} where name = 'body';
    update high_water set value = value + ${Math.ceil(messages / PIECES)} where name = 'segment';
    commit`);
  const [first, ...others] = fixture.maildrops;
  if (first === undefined) throw new Error("a fixture has maildrops");
  return { ...fixture, maildrops: [{ ...first, messages: [...first.messages, ...added] }, ...others] };
}

function placeOf(database: DatabaseSync): Place {
  const row = database
    .prepare(
      `select id as mailbox, account, next_uid as uid,
        (select value + 1 from high_water where name = 'body') as body,
        (select value + 1 from high_water where name = 'segment') as segment
      from mailbox where name = 'INBOX' order by id limit 1`,
    )
    .get();
  return row as unknown as Place;
}

/** Writes one segment with bodies and their rows; `from`: how many there were before. */
function addSegment(
  database: DatabaseSync,
  folder: string,
  place: Place,
  from: number,
  count: number,
): readonly KeptMessage[] {
  const segment = (place.segment + from / PIECES) as SegmentId;
  const content = Buffer.alloc(count * PIECE_OCTETS);
  const insertBody = database.prepare("insert into body values (?, ?, ?, ?, ?, ?, 0, 0, 1)");
  const insertMessage = database.prepare("insert into message values (?, ?, ?, ?, ?, null, ?, null, ?, ?)");
  const added = Array.from({ length: count }, (_, index): KeptMessage => {
    const body = (place.body + from + index) as BodyId;
    const uid = (place.uid + from + index) as Uid;
    const at = index * PIECE_OCTETS;
    const octets = content.subarray(at + BODY_HEAD_OCTETS, at + PIECE_OCTETS);
    octets.write(`Subject: ${uid}\r\n\r\n`.padEnd(BODY_OCTETS - 2, "x").concat("\r\n"), "latin1");
    const sha256 = createHash("sha256").update(octets).digest();
    writeBodyHead(content.subarray(at), { body, octets: BODY_OCTETS, sha256, account: place.account });
    insertBody.run(body, segment, at + BODY_HEAD_OCTETS, BODY_OCTETS, crc32(octets), sha256);
    const given = { mailbox: place.mailbox, uid, octets: BODY_OCTETS, octets_downgraded: BODY_OCTETS };
    const tag = sha256.readUInt32BE();
    const crc = rowCrc({ ...given, uidl_tag: tag, uidl: null, body, body_key: null, received: RECEIVED });
    insertMessage.run(...Object.values(given), tag, body, RECEIVED, crc);
    return { uidl: uidl(uid, tag), octets: BODY_OCTETS, sha256: sha256.toString("hex") };
  });
  writeFileSync(segmentPath(layoutOf(folder), segment), content);
  database.prepare("insert into segment values (?, ?, ?, 1, null)").run(segment, content.length, content.length);
  return added;
}
