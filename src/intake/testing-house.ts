import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { crc32 } from "node:zlib";
import { err, ok, type Result } from "../lib/result.ts";
import type { Address } from "../model/address.ts";
import { BODY_HEAD_OCTETS, type ReadyBody } from "../model/body.ts";
import type { Envelope, Recipient } from "../model/envelope.ts";
import type { AccountId, MailboxId, Uid } from "../model/ids.ts";
import type { ContentSink, Outcome } from "../smtp/ports.ts";
import { openSpool } from "../store/bodies/spool.ts";
import { systemDisk } from "../store/disk.ts";
import { layoutOf, spoolPath } from "../store/layout.ts";
import type { Appended, Delivery, Spool, WriteFailure } from "../store/ports.ts";
import { createAccept } from "./accept.ts";
import { Budget } from "./budget.ts";
import { createContent } from "./content.ts";
import type { JunkHeader } from "./junk-header.ts";

/** What a test of intake works on. */
export type House = AsyncDisposable & {
  readonly budget: Budget;
  readonly deliveries: Delivery[];
  failure: WriteFailure | undefined;
  appended: Appended | undefined;
  spool: () => Promise<Spool>;
  junkHeader: JunkHeader | undefined;
  envelope: Partial<Envelope>;
  open(expected: number, ready?: () => void): ContentSink;
  tryOpen(): ContentSink | undefined;
  deliver(
    content: Buffer,
    cut: number,
    announced?: number,
    recipients?: readonly Recipient[],
    perRecipient?: boolean,
  ): Promise<readonly Outcome[]>;
  stored(index: number): Promise<Buffer>;
  spools(): Promise<string[]>;
};

/** The real intake over a real spool in a folder of its own; what append is given is kept. */
export async function openHouse(budgetOctets = 64 * 1024 * 1024): Promise<House> {
  const folder = await mkdtemp(path.join(tmpdir(), "mailkeep-intake-"));
  const layout = layoutOf(folder);
  await mkdir(layout.spool, { recursive: true });
  const budget = new Budget(budgetOctets);
  const house: House = {
    budget,
    deliveries: [],
    failure: undefined,
    appended: undefined,
    junkHeader: undefined,
    envelope: {},
    spool: () => openSpool(systemDisk, layout),
    tryOpen: () => openContent(0, () => {}),
    open: (expected, ready = () => {}) => openContent(expected, ready) ?? assert.fail("no room"),
    deliver: async (
      content,
      cut,
      announced = 0,
      recipients = [recipientOf("a@example.test", 1)],
      perRecipient = false,
    ) => {
      let ready = Promise.withResolvers<void>();
      const sink = house.open(announced, () => ready.resolve());
      for (let at = 0; at < content.length; at += cut) {
        ready = Promise.withResolvers();
        if (!sink.write(content.subarray(at, at + cut))) await ready.promise;
      }
      sink.dotted = false;
      return accept({ ...envelope(recipients), ...house.envelope }, sink, perRecipient);
    },
    stored: (index) => storedBody(folder, house.deliveries[index]?.body ?? assert.fail("nothing was stored")),
    spools: () => readdir(layout.spool),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  };
  const openContent = createContent({
    bodies: { spool: () => house.spool(), buffer: (octets) => new ArrayBuffer(octets + 17) },
    budget,
    junkHeader: () => house.junkHeader,
  });
  const accept = createAccept({
    append: async (delivery): Promise<Result<Appended, WriteFailure>> => {
      if (house.failure) return err(house.failure);
      house.deliveries.push(delivery);
      // As the store does: from here on the spool file is its own.
      const { body } = delivery;
      if (body.kind === "file") await rename(spoolPath(layout, body.spool), path.join(folder, body.spool));
      return ok(house.appended ?? delivery.recipients.map(() => ok(1 as Uid)));
    },
    hostname: "mail.example.test",
    clock: { now: () => 1000 },
    randomId: () => "0a",
  });
  return house;
}

/** Reads a body where it lies and checks all that is said of it. */
async function storedBody(folder: string, body: ReadyBody): Promise<Buffer> {
  assert.ok(body.start >= BODY_HEAD_OCTETS);
  const whole = body.kind === "memory" ? Buffer.from(body.buffer) : await readFile(path.join(folder, body.spool));
  const octets = whole.subarray(body.start, body.start + body.octets);
  assert.equal(octets.length, body.octets);
  assert.equal(crc32(octets), body.crc32);
  assert.deepEqual(Buffer.from(body.sha256), createHash("sha256").update(octets).digest());
  return octets;
}

function envelope(recipients: readonly Recipient[]): Envelope {
  return {
    protocol: "ESMTP",
    peer: { address: "192.0.2.7", port: 1 },
    helo: "client",
    sender: "x@b.example",
    recipients,
  };
}

/** A recipient with a quota. */
export function recipientOf(asGiven: string, id: number): Recipient {
  const quota = { octets: 10, messages: 1 };
  return { asGiven, address: asGiven as Address, account: id as AccountId, mailbox: id as MailboxId, quota };
}
