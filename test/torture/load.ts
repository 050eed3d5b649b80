import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { stuff } from "../e2e/harness/dots.ts";
import { addressOf, passwordOf } from "../e2e/harness/installation.ts";
import { Pop3 } from "../e2e/harness/pop3.ts";
import type { Random } from "../e2e/harness/random.ts";
import type { Server } from "../e2e/harness/server.ts";
import { Smtp } from "../e2e/harness/smtp.ts";
import { withoutTrace } from "../e2e/harness/trace.ts";
import type { Found, Ledger } from "./ledger.ts";
import type { Point } from "./moments.ts";

/** One round of load on a running server, up to its death. */
export type Round = {
  readonly server: Server;
  readonly ledger: Pick<Ledger, "sending" | "acknowledged" | "seen" | "idOf" | "quitting" | "removed">;
  readonly random: Random;
  readonly boxes: readonly string[];
  /** Called where a dialogue comes to such a point; the server may be killed there. */
  readonly at: (point: Point) => Promise<void>;
  /** Whether the server was killed: what fails from then on is no finding. */
  readonly over: () => boolean;
};

// A maildrop with more of them is emptied rather than thinned out: each is read after each kill.
const MANY_MESSAGES = 20;
let sequence = 0;

/** Sends messages of many sizes on one connection after another, to one box or more, until the server is gone. */
export async function deliver(round: Round, protocol: "smtp" | "lmtp"): Promise<void> {
  await untilOver(round, async () => {
    await using session = await Smtp.open(round.server.ports[protocol], { lmtp: protocol === "lmtp" });
    for (let count = round.random.between(1, 20); count > 0; count -= 1) await deliverOne(round, session);
    await session.quit();
  });
}

async function deliverOne(round: Round, session: Smtp): Promise<void> {
  const { ledger, random, boxes } = round;
  sequence += 1;
  const id = `k${sequence}`;
  const recipients = chooseSome(boxes, random.pick([1, 1, 1, 1, 2, 3]), random);
  const content = makeContent(id, random);
  ledger.sending(id, recipients, digestOf(content));
  const addresses = recipients.map(addressOf);
  const replies =
    random.fraction() < 0.2 && session.extensions.includes("CHUNKING")
      ? await session.bdat("kill@e2e.test", addresses, content, [random.between(1, content.length)])
      : await sendInPieces(round, session, addresses, content);
  for (const [index, box] of recipients.entries()) {
    // SMTP has one reply for all recipients, LMTP one for each.
    const reply = session.lmtp ? replies[index] : replies[0];
    assert.equal(reply?.code, 250, JSON.stringify(reply));
    ledger.acknowledged(id, box);
  }
}

/** As Smtp.data, but with a stop on the way. */
async function sendInPieces(round: Round, session: Smtp, addresses: readonly string[], content: Buffer) {
  await session.envelope("kill@e2e.test", addresses);
  await session.must("DATA", 354);
  const octets = stuff(content);
  const half = round.random.between(1, octets.length - 1);
  await session.wire.send(octets.subarray(0, half));
  await round.at("in the middle of a body");
  await session.wire.send(octets.subarray(half));
  const replies = [];
  for (let count = session.lmtp ? addresses.length : 1; count > 0; count -= 1) replies.push(await session.reply());
  return replies;
}

/** Fetches and deletes in one maildrop after another, until the server is gone. Some sessions end without QUIT. */
export async function remove(round: Round, boxes: readonly string[]): Promise<void> {
  await untilOver(round, () => removeIn(round, round.random.pick(boxes)));
}

async function removeIn(round: Round, box: string): Promise<void> {
  const { server, ledger, random } = round;
  await using session = await login(server, box);
  const uidls = await session.uidl();
  if (random.fraction() < 0.3) await fetchLargest(round, session, box, uidls);
  const share = uidls.length > MANY_MESSAGES ? 0.9 : 0.3;
  const ids: string[] = [];
  for (const [index, uidl] of uidls.entries()) {
    if (random.fraction() > share) continue;
    // Most are removed without a look: a session that fetched all of a large maildrop would rarely reach its QUIT.
    let id = random.fraction() < 0.9 ? ledger.idOf(box, uidl) : undefined;
    if (id === undefined) {
      const found = { ...identify(await session.retrieve(index + 1)), uidl };
      ledger.seen(box, found);
      ({ id } = found);
    }
    await session.must(`DELE ${index + 1}`);
    ids.push(id);
  }
  // A session that just ends removes nothing (rule 1939-17): the next check finds all of it.
  if (random.fraction() < 0.2) return;
  await round.at("before QUIT");
  ledger.quitting(box, ids);
  await session.wire.send("QUIT\r\n");
  if (ids.length > 0) await round.at("behind QUIT");
  assert.match(await session.wire.line(), /^\+OK/, "the answer to QUIT");
  ledger.removed(box, ids);
}

/** Fetches the message that takes longest, with a stop while it is on its way. */
async function fetchLargest(round: Round, session: Pop3, box: string, uidls: readonly string[]): Promise<void> {
  const sizes = await session.list();
  const index = sizes.indexOf(Math.max(...sizes));
  const uidl = uidls[index];
  if (uidl === undefined) return;
  await session.wire.send(`RETR ${index + 1}\r\n`);
  session.wire.socket.pause();
  await round.at("within an answer to RETR");
  session.wire.socket.resume();
  round.ledger.seen(box, { ...identify(await session.answerToRetr(index + 1)), uidl });
}

/** Fetches a whole maildrop. */
export async function survey(server: Server, box: string): Promise<Found[]> {
  await using session = await login(server, box);
  const uidls = await session.uidl();
  const messages = await session.retrieveAll();
  assert.equal(uidls.length, messages.length, "UIDL and LIST agree");
  await session.quit();
  return messages.map((message, index) => ({ ...identify(message), uidl: uidls[index] ?? "" }));
}

/** A session in one of the maildrops. */
export function login(server: Server, box: string): Promise<Pop3> {
  const secure = { tls: "implicit", ca: server.installation.ca } as const;
  return Pop3.login(server.ports.pop3s, addressOf(box), passwordOf(box), secure);
}

async function untilOver(round: Round, work: () => Promise<void>): Promise<void> {
  while (!round.over()) {
    try {
      await work();
    } catch (cause) {
      if (!round.over()) throw cause;
    }
  }
}

function chooseSome<T>(values: readonly T[], count: number, random: Random): T[] {
  const left = [...values];
  return Array.from({ length: count }, () => left.splice(random.between(0, left.length - 1), 1)).flat();
}

/** Octets of a message: most are small, some are spooled (above 256 KiB), few have a file of their own for their size. */
export function makeContent(id: string, random: Random): Buffer {
  const big = random.fraction();
  const octets = big < 0.02 ? random.between(1_000_000, 2_500_000) : big < 0.1 ? 300_000 : random.between(0, 20_000);
  const line = `${"abcdefghijklmnopqrstuvwxyz".slice(random.between(0, 20))}${random.between(0, 1e9)}\r\n.dot\r\n`;
  return Buffer.from(`X-Kill-Id: ${id}\r\n\r\n${line.repeat(Math.ceil(octets / line.length))}`);
}

export /** Which message of this load it is, and whether it is whole. */
function identify(message: Buffer): { id: string; digest: string } {
  const content = withoutTrace(message);
  const [, id = ""] = /^X-Kill-Id: (\w+)\r\n/.exec(content.toString("latin1", 0, 100)) ?? [];
  return { id, digest: digestOf(content) };
}

export /** A content's digest, as the ledger has it. */
function digestOf(content: Buffer): string {
  return createHash("sha256").update(content).digest("hex");
}
