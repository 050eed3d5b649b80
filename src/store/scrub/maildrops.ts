import type { MailboxId } from "../../model/ids.ts";
import { hasItsSum } from "../sql/bodies.ts";
import { highestId } from "../sql/high-water.ts";
import { isSound } from "../sql/row-crc.ts";
import type { ScrubMailbox } from "../sql/scrub-rows.ts";
import type { MessageRow } from "../sql/tables.ts";
import { checkBody } from "./bodies.ts";
import { withoutFlippedBit } from "./one-bit.ts";
import type { Walk } from "./walk.ts";
import { eachPage, report, step } from "./walk.ts";

const PAGE = 500;
// What a row takes of the rate.
const ROW_OCTETS = 128;

/** Every message's row with its body's. */
export async function checkMaildrops(walk: Walk): Promise<void> {
  const { rows, parts } = walk;
  const next = async (after: number): Promise<readonly ScrubMailbox[]> => {
    const row = await rows.mailboxAfter(after);
    return row === undefined ? [] : [row];
  };
  const upTo = await highestId(parts.sql, "mailbox");
  const pages = { from: walk.state.position, upTo, limit: 1, next, numberOf: ({ id }: ScrubMailbox) => id };
  await eachPage(walk, pages, async ([row]) => {
    if (row === undefined) return;
    await checkMaildrop(walk, row, false);
    await step(walk, { position: row.id });
  });
  await checkHomeless(walk);
}

/** One mailbox; `octets`: the octets of its bodies too. */
export async function checkMaildrop(walk: Walk, mailbox: ScrubMailbox, octets: boolean): Promise<void> {
  const { id, next_uid: end } = mailbox;
  const owner = mailbox.address === null ? undefined : { address: mailbox.address, mailbox: mailbox.name };
  if (owner === undefined) await report(walk, "no-mailbox", `mailbox ${id} has no account`);
  else walk.owners.set(id, owner);
  const check = async (page: readonly MessageRow[]): Promise<void> => {
    await checkRows(walk, page, octets);
    await step(walk, { messages: walk.state.messages + page.length });
  };
  const next = (after: number, limit: number): Promise<readonly MessageRow[]> => walk.rows.messages(id, after, limit);
  const pages = { from: 0, upTo: end, limit: PAGE, next, numberOf: ({ uid }: MessageRow) => uid, owner };
  await eachPage(walk, pages, check);
  for (let from = { at: -1, uid: 0 }; ;) {
    const page = await walk.rows.removed(id, from, PAGE);
    await checkRows(walk, page, octets);
    if (page.length < PAGE) break;
    from = page.at(-1) ?? from;
  }
}

async function checkRows(walk: Walk, rows: readonly MessageRow[], octets: boolean): Promise<void> {
  await walk.pace.spend(rows.length * ROW_OCTETS);
  const ids = [...new Set(rows.filter(isSound).map(({ body }) => body))];
  const bodies = new Map((await walk.rows.bodies(ids)).map((body) => [body.id, body]));
  for (const row of rows) {
    const body = bodies.get(row.body);
    if (!isSound(row)) await reportRow(walk, row);
    else if (body === undefined) await reportNoBody(walk, row);
    else if (octets) {
      await checkBody(walk, body, [row]);
      await step(walk, { bodies: walk.state.bodies + 1, octets: walk.state.octets + body.octets });
    } else if (hasItsSum(body) && body.octets !== row.octets)
      await report(walk, "row", `message ${row.uid} has other octets than its body ${body.id}`, { of: row });
  }
}

// A row of removed mail is told of, and left: it has a place of its own, from which undelete does not give it back as good.
async function reportRow(walk: Walk, row: MessageRow): Promise<void> {
  const written = "at" in row ? undefined : withoutFlippedBit(row);
  const [body] = written === undefined ? [] : await walk.rows.bodies([written.body]);
  const known = written !== undefined && body?.octets === written.octets;
  const mend = known ? ({ kind: "row", found: row, written } as const) : undefined;
  const detail = `the row of message ${row.uid} is not as it was written${known ? " (one bit)" : ""}`;
  await report(walk, "row", detail, { of: row, mend });
}

// Its row may have gone with the message since the page was read.
async function reportNoBody(walk: Walk, row: MessageRow): Promise<void> {
  const again = (await walk.rows.messages(row.mailbox, row.uid - 1, 1))[0];
  const gone = "at" in row ? (await walk.rows.showing([row.body])).length === 0 : again?.uid !== row.uid;
  if (gone || (await walk.rows.bodies([row.body])).length > 0) return;
  await report(walk, "no-body", `body ${row.body} has no row`, { of: row });
}

/** Messages whose mailbox is not there, and is not being removed either. */
async function checkHomeless(walk: Walk): Promise<void> {
  const going = new Set(
    (await walk.rows.removalsWaiting()).filter(({ kind }) => kind === "account").map((row) => row.mailbox),
  );
  let id: MailboxId | undefined = 0 as MailboxId;
  while ((id = await walk.rows.nextMailboxOfMessages(id)) !== undefined) {
    const row = await walk.rows.mailboxAfter(id - 1);
    if (row?.id === id || going.has(id)) continue;
    await report(walk, "no-mailbox", `there are messages of mailbox ${id}, which is not there`);
  }
}
