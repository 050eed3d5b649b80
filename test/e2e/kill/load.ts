import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { addressOf, passwordOf } from "../harness/installation.ts";
import { Pop3 } from "../harness/pop3.ts";
import type { Random } from "../harness/random.ts";
import type { Server } from "../harness/server.ts";
import { Smtp } from "../harness/smtp.ts";
import { withoutTrace } from "../harness/trace.ts";
import type { Found, Ledger } from "./ledger.ts";

/** One round of load on a running server, up to its death. */
export type Round = {
  readonly server: Server;
  readonly ledger: Ledger;
  readonly random: Random;
  readonly boxes: readonly string[];
  /** Called at each step of a dialogue; the server is killed at one of them. */
  readonly step: () => void;
  /** Whether the server was killed: what fails from then on is no finding. */
  readonly over: () => boolean;
};

const mostMessages = 60;
let sequence = 0;

/** Sends messages of many sizes on one connection after another, to one box or two, until the server is gone. */
export async function deliver(round: Round, protocol: "smtp" | "lmtp"): Promise<void> {
  await untilOver(round, async () => {
    await using session = await Smtp.open(round.server.ports[protocol], { lmtp: protocol === "lmtp" });
    for (let count = round.random.between(1, 20); count > 0; count -= 1) await deliverOne(round, session);
    await session.quit();
  });
}

async function deliverOne({ ledger, random, boxes, step }: Round, session: Smtp): Promise<void> {
  sequence += 1;
  const id = `k${sequence}`;
  const first = random.pick(boxes);
  const second = random.pick(boxes);
  const recipients = random.fraction() < 0.2 && first !== second ? [first, second] : [first];
  const content = makeContent(id, random);
  ledger.sending(id, recipients, digestOf(content));
  step();
  const addresses = recipients.map(addressOf);
  const replies =
    random.fraction() < 0.3 && session.extensions.includes("CHUNKING")
      ? await session.bdat("kill@e2e.test", addresses, content, [random.between(1, content.length)])
      : await session.data("kill@e2e.test", addresses, content);
  for (const [index, box] of recipients.entries()) {
    // SMTP has one reply for all recipients, LMTP one for each.
    const reply = session.lmtp ? replies[index] : replies[0];
    assert.equal(reply?.code, 250, JSON.stringify(reply));
    ledger.acknowledged(id, box);
  }
  step();
}

/** Fetches and deletes in one maildrop after another, until the server is gone. Some sessions end without QUIT. */
export async function remove(round: Round, boxes: readonly string[]): Promise<void> {
  await untilOver(round, () => removeIn(round, round.random.pick(boxes)));
}

async function removeIn({ server, ledger, random, step }: Round, box: string): Promise<void> {
  await using session = await login(server, box);
  const uidls = await session.uidl();
  const share = uidls.length > mostMessages ? 0.9 : 0.3;
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
    step();
  }
  // A session that just ends removes nothing (rule 1939-17): the next check finds all of it.
  if (random.fraction() < 0.25) return;
  ledger.quitting(box, ids);
  step();
  await session.quit();
  ledger.removed(box, ids);
  step();
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

function login(server: Server, box: string): Promise<Pop3> {
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

function makeContent(id: string, random: Random): Buffer {
  const big = random.fraction();
  const octets = big < 0.01 ? random.between(1_000_000, 2_000_000) : big < 0.05 ? 300_000 : random.between(0, 20_000);
  const line = `${"abcdefghijklmnopqrstuvwxyz".slice(random.between(0, 20))}${random.between(0, 1e9)}\r\n.dot\r\n`;
  return Buffer.from(`X-Kill-Id: ${id}\r\n\r\n${line.repeat(Math.ceil(octets / line.length))}`);
}

function identify(message: Buffer): { id: string; digest: string } {
  const content = withoutTrace(message);
  const [, id = ""] = /^X-Kill-Id: (\w+)\r\n/.exec(content.toString("latin1", 0, 100)) ?? [];
  return { id, digest: digestOf(content) };
}

function digestOf(content: Buffer): string {
  return createHash("sha256").update(content).digest("hex");
}
