import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import type { Result } from "../../src/lib/result.ts";
import type { Account } from "../../src/model/account.ts";
import { parseAddress, parseDomain } from "../../src/model/address.ts";
import type { Address, Domain } from "../../src/model/address.ts";
import type { ReadyBody } from "../../src/model/body.ts";
import { BODY_HEAD_OCTETS } from "../../src/model/body.ts";
import type { MailboxId, Uid } from "../../src/model/ids.ts";
import { uidl } from "../../src/model/message.ts";
import type { BodyPlace, Delivery, Store } from "../../src/store/ports.ts";

/** A store that a suite works on, and what it needs around it. */
export type StoreUnderTest = AsyncDisposable & {
  readonly store: Store;
  readonly folder: string;
  /** The files below a folder of the data folder, by their paths in that folder. */
  files(within: string): readonly string[];
  /** The octets of a file of the data folder. */
  octets(file: string): Uint8Array;
  /** Asserts what must hold of the rows at every moment (store-consistency.ts). */
  assertConsistent(): Promise<void>;
  /** The same store as another thread or session sees it. */
  another(): Store;
  /** Ends the store and opens it again; `store` is then another. */
  reopen(): Promise<void>;
};

export const domain = must(parseDomain("example.test"));

/** The value of a result that a test cannot do without. */
export function must<T>(result: Result<T, unknown>): T {
  assert.ok(result.ok, `not ok: ${JSON.stringify(result)}`);
  return result.value;
}

export function address(local: string, of: Domain = domain): Address {
  return must(parseAddress(`${local}@${of}`));
}

/** Accounts of the test's domain, which is made where it is not there. */
export async function addAccounts(store: Store, ...names: string[]): Promise<Account[]> {
  if (!(await store.directory.hasDomain(domain))) must(await store.directory.addDomain(domain, 1));
  const given = names.map((name) => ({
    address: address(name),
    secret: "{SECRET}x",
    enabled: true,
    quota: { octets: null, messages: null },
  }));
  return [...must(await store.directory.addAccounts(given, 7))];
}

export async function addAccount(store: Store, name: string): Promise<Account> {
  const [account] = await addAccounts(store, name);
  assert.ok(account);
  return account;
}

/** A body in memory. */
export function memoryBody(store: Store, text: string | Uint8Array): ReadyBody {
  const octets = Buffer.from(text);
  const buffer = store.bodies.buffer(BODY_HEAD_OCTETS + octets.length);
  new Uint8Array(buffer).set(octets, BODY_HEAD_OCTETS);
  return {
    kind: "memory",
    buffer,
    start: BODY_HEAD_OCTETS,
    octets: octets.length,
    crc32: crc32(octets),
    sha256: createHash("sha256").update(octets).digest(),
    dotted: /^\./m.test(octets.toString("latin1")),
  };
}

export function deliveryOf(body: ReadyBody, ...accounts: Account[]): Delivery {
  return {
    body,
    received: 1_700_000_000_000,
    octetsDowngraded: body.octets,
    recipients: accounts.map(({ id, inbox }) => ({ account: id, mailbox: inbox, quota: null })),
  };
}

/** Delivers a text to one INBOX. */
export async function deliver(store: Store, account: Account, text: string | Uint8Array): Promise<Uid> {
  const [outcome] = must(await store.mail.append(deliveryOf(memoryBody(store, text), account)));
  assert.ok(outcome);
  return must(outcome);
}

/** Delivers many small messages at once. */
export async function deliverMany(store: Store, account: Account, count: number): Promise<Uid[]> {
  const given: Uid[] = [];
  for (let done = 0; done < count; done += 300) {
    const batch = Array.from({ length: Math.min(300, count - done) }, (_, index) =>
      deliver(store, account, `message ${done + index}\r\n`),
    );
    given.push(...(await Promise.all(batch)));
  }
  return given;
}

export async function place(store: Store, mailbox: MailboxId, uid: Uid): Promise<BodyPlace> {
  const found = await store.mail.locate(mailbox, uid);
  assert.ok(found, `message ${uid} is there`);
  return found.place;
}

/** A message's octets as they are on disk now, checked against their digests. */
export async function content(store: Store, mailbox: MailboxId, uid: Uid): Promise<Buffer> {
  const where = await place(store, mailbox, uid);
  const file = store.bodies.open(where);
  assert.ok(file, `the body of ${uid} is there`);
  const octets = Buffer.alloc(where.octets + 1);
  let read = 0;
  for (let got = -1; got !== 0; read += got) got = file.readSync(octets.subarray(read), read);
  file.close();
  const body = octets.subarray(0, read);
  assert.equal(read, where.octets);
  assert.equal(crc32(body), where.crc32);
  assert.deepEqual(createHash("sha256").update(body).digest(), Buffer.from(where.sha256));
  return body;
}

/** All UIDLs of a maildrop, read by small pages. */
export async function uidls(store: Store, mailbox: MailboxId, limit = 100): Promise<string[]> {
  const all: string[] = [];
  const highest = (await store.mail.snapshot(mailbox))?.highestUid ?? 0xffffffff;
  for (let after = 0; ;) {
    const page = await store.mail.listPage(mailbox, after, highest, limit);
    for (const [index, uid] of page.uids.entries()) {
      all.push(page.names.get(index) ?? uidl(uid as Uid, page.tags[index] ?? 0));
      after = uid;
    }
    if (page.messages < limit) return all;
  }
}

/** The uids of a maildrop. */
export async function uids(store: Store, mailbox: MailboxId): Promise<number[]> {
  return [...(await store.mail.listPage(mailbox, 0, 0xffffffff, 1_000_000)).uids];
}

/** Asks again until it holds; for what another thread does in its own time. */
export async function eventually(holds: () => Promise<boolean> | boolean, what: string): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!(await holds())) {
    assert.ok(performance.now() < deadline, `in time: ${what}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
