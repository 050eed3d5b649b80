import { assert } from "../../lib/assert.ts";
import type { Result } from "../../lib/result.ts";
import { err, ok } from "../../lib/result.ts";
import type { Uid } from "../../model/ids.ts";
import { fits } from "../../model/quota.ts";
import type { Appended, Delivery } from "../ports.ts";
import { insertBody } from "../sql/bodies.ts";
import { countMessage, nextUid, usageOf } from "../sql/mailboxes.ts";
import { insertMessage } from "../sql/messages.ts";
import { randomTag } from "./random-tag.ts";
import type { PlacedBody, UnitContext } from "./unit.ts";

/** Uids have 32 bits. */
export const HIGHEST_UID = 0xffffffff;

/** The rows of a delivery: one body, a message for each recipient that can take it. */
export async function append(context: UnitContext, delivery: Delivery): Promise<Result<Appended, never>> {
  const { sql, effects, placed } = context;
  assert(placed !== undefined, "a body is placed before its rows");
  const outcomes: Result<Uid, "over-quota" | "no-mailbox">[] = [];
  let refs = 0;
  for (const recipient of delivery.recipients) {
    const outcome = await appendTo(context, delivery, recipient, placed);
    outcomes.push(outcome);
    if (outcome.ok) refs += 1;
  }
  const { id, segment, offset, octets } = placed;
  if (refs > 0) {
    const { octets: bodyOctets, crc32, sha256, dotted } = delivery.body;
    await insertBody(sql, { id, segment, offset, octets: bodyOctets, crc32, sha256, dotted: Number(dotted), refs });
    if (segment !== null) effects.live.set(segment, octets);
  } else if (segment === null) {
    effects.orphans.push(id);
  } else {
    effects.wasted.add(segment);
  }
  return ok(outcomes);
}

async function appendTo(
  { sql }: UnitContext,
  delivery: Delivery,
  recipient: Delivery["recipients"][number],
  placed: PlacedBody,
): Promise<Result<Uid, "over-quota" | "no-mailbox">> {
  const { account, mailbox, quota } = recipient;
  const { octets } = delivery.body;
  const next = await nextUid(sql, mailbox);
  if (next?.account !== account || next.uid > HIGHEST_UID) return err("no-mailbox");
  const { uid } = next;
  if (quota !== null && !fits(await usageOf(sql, account), quota, octets)) return err("over-quota");
  await insertMessage(sql, {
    mailbox,
    uid,
    octets,
    octets_downgraded: delivery.octetsDowngraded,
    uidl_tag: randomTag(),
    uidl: recipient.uidl ?? null,
    body: placed.id,
    body_key: null,
    received: delivery.received,
  });
  await countMessage(sql, mailbox, octets, delivery.octetsDowngraded);
  return ok(uid);
}
