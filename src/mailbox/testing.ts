import { hash } from "node:crypto";
import { crc32 } from "node:zlib";
import { systemClock } from "../lib/clock.ts";
import { err, ok } from "../lib/result.ts";
import type { Account } from "../model/account.ts";
import { type Address, splitAddress } from "../model/address.ts";
import { BODY_HEAD_OCTETS } from "../model/body.ts";
import type { AccountId, BodyId, MailboxId, SegmentId, Uid } from "../model/ids.ts";
import type { MessageReader } from "../model/message-reader.ts";
import { uidl } from "../model/message.ts";
import { fits, type Usage } from "../model/quota.ts";
import { createLeaseWords } from "../store/lease-words.ts";
import { LeaseTable } from "../store/leases.ts";
import type {
  BodyFile,
  BodyPlace,
  Delivery,
  Directory,
  Leases,
  ListingPage,
  Mail,
  OctetsAs,
  RemovalCause,
  RemovedFilter,
  RemovedMessage,
  StoredMessage,
} from "../store/ports.ts";

type Row = StoredMessage & { readonly tag: number; readonly name?: string };
type Removed = { readonly row: Row; readonly at: number; readonly cause: RemovalCause };
type Box = { rows: Row[]; removed: Removed[]; last: number };

/** What is not as it mostly is of a message that is delivered. */
export type Given = { readonly name?: string; readonly received?: number; readonly octetsDowngraded?: number };

/** Mail, accounts, bodies and leases in memory, with knobs for what a disk does to people. */
export class MemoryStore {
  readonly accounts = new Map<Address, Account>();
  readonly boxes = new Map<MailboxId, Box>();
  readonly octets = new Map<BodyId, Buffer>();
  /** Octets that one read gives at most, how long it takes, and what goes wrong. */
  readonly disk = { mostPerRead: Number.POSITIVE_INFINITY, failure: undefined as Error | undefined };
  readonly reads: ("now" | "later")[] = [];
  openFiles = 0;
  /** What the writer takes for the time. */
  now = 0;
  /** How many messages one step of `restore` brings back at most. */
  restoreAtOnce = 1000;
  #ids = 0;

  readonly directory: Pick<Directory, "account" | "accounts" | "changeAccount" | "removeAccount"> = {
    account: (address) => Promise.resolve(this.accounts.get(address)),
    accounts: ({ after = "", limit }) => {
      const addresses = [...this.accounts.keys()].filter((address) => address > after).toSorted();
      return Promise.resolve(addresses.slice(0, limit).flatMap((address) => this.accounts.get(address) ?? []));
    },
    changeAccount: (address, change) => {
      const account = this.accounts.get(address);
      if (!account) return Promise.resolve(err("unknown"));
      const changed = { ...account, ...change };
      this.accounts.set(address, changed);
      return Promise.resolve(ok(changed));
    },
    removeAccount: (address) => {
      const account = this.accounts.get(address);
      if (!account) return Promise.resolve(err("unknown"));
      const messages = this.#held(account.id).messages;
      this.accounts.delete(address);
      this.boxes.delete(account.inbox);
      this.boxes.delete(account.junk);
      return Promise.resolve(ok({ messages }));
    },
  };

  readonly mail = {
    usage: (account: AccountId) => Promise.resolve(this.#held(account)),
    append: (delivery: Delivery) => Promise.resolve(ok(this.#append(delivery))),
    snapshot: (mailbox: MailboxId) => {
      const box = this.boxes.get(mailbox);
      const account = [...this.accounts.values()].find(({ inbox, junk }) => inbox === mailbox || junk === mailbox);
      return Promise.resolve(
        box && {
          ...usageOf(box.rows),
          account: account?.id ?? (0 as AccountId),
          octetsDowngraded: box.rows.reduce((sum, row) => sum + row.octetsDowngraded, 0),
          highestUid: box.last,
          enabled: account?.enabled ?? false,
          removed: usageOf(box.removed.map(({ row }) => row)),
        },
      );
    },
    listPage: (mailbox: MailboxId, after: number, upTo: number, limit: number, octetsAs: OctetsAs = "stored") =>
      Promise.resolve(
        pageOf(
          (this.boxes.get(mailbox)?.rows ?? []).filter((row) => row.uid > after && row.uid <= upTo),
          limit,
          octetsAs,
        ),
      ),
    locate: (mailbox: MailboxId, uid: Uid) => Promise.resolve(this.#row(mailbox, uid)),
    locateFrom: (mailbox: MailboxId, uid: Uid, limit: number) => {
      const rows = this.boxes.get(mailbox)?.rows ?? [];
      const first = rows.findIndex((row) => row.uid === uid);
      return Promise.resolve(first < 0 ? [] : rows.slice(first, first + limit));
    },
    expunge: (mailbox: MailboxId, uids: Uint32Array, cause?: RemovalCause) => {
      const box = this.boxes.get(mailbox);
      const going = box?.rows.filter((row) => uids.includes(row.uid)) ?? [];
      if (box) box.rows = box.rows.filter((row) => !uids.includes(row.uid));
      if (cause?.keep) box?.removed.push(...going.map((row) => ({ row, at: this.now, cause })));
      return Promise.resolve(ok({ removed: going.length }));
    },
    inspect: (mailbox: MailboxId, after: number, upTo: number, limit: number) => {
      const rows = (this.boxes.get(mailbox)?.rows ?? []).filter(({ uid }) => uid > after && uid <= upTo);
      const page = rows.slice(0, limit);
      return Promise.resolve({
        damaged: [],
        uids: Uint32Array.from(page, ({ uid }) => uid),
        octets: Uint32Array.from(page, ({ place }) => place.octets),
        octetsDowngraded: Uint32Array.from(page, ({ octetsDowngraded }) => octetsDowngraded),
        last: page.length < limit ? undefined : page.at(-1)?.uid,
      });
    },
    receivedBefore: (mailbox: MailboxId, before: number, limit: number) => {
      const old = this.boxes.get(mailbox)?.rows.filter((row) => row.received < before) ?? [];
      return Promise.resolve(Uint32Array.from(old.slice(0, limit), (row) => row.uid));
    },
    removedMessages: (mailbox: MailboxId, query: RemovedFilter & { readonly limit: number }) => {
      const found = (this.boxes.get(mailbox)?.removed ?? []).filter((one) => matches(one, query));
      return Promise.resolve(found.toReversed().slice(0, query.limit).map(shown));
    },
    restore: (mailbox: MailboxId, filter: RemovedFilter) => {
      const box = this.boxes.get(mailbox);
      if (!box) return Promise.resolve(err("no-mailbox"));
      const found = box.removed.filter((one) => matches(one, filter)).toSorted((a, b) => a.row.uid - b.row.uid);
      const coming = found.slice(0, this.restoreAtOnce);
      box.removed = box.removed.filter((one) => !coming.includes(one));
      for (const { row } of coming) box.rows.push({ ...row, uid: ++box.last as Uid });
      return Promise.resolve(ok({ restored: coming.length, more: found.length > coming.length }));
    },
  } satisfies Mail;

  readonly bodies = { open: (place: BodyPlace) => this.#open(place) };
  readonly leases: Leases = ownLeases();

  addAccount(address: Address): Account {
    const account: Account = {
      id: ++this.#ids as AccountId,
      address,
      domain: splitAddress(address).domain,
      secret: "",
      enabled: true,
      quota: { octets: null, messages: null },
      created: 0,
      scram: null,
      expireDays: null,
      loginDelaySeconds: null,
      language: null,
      inbox: ++this.#ids as MailboxId,
      junk: ++this.#ids as MailboxId,
    };
    this.accounts.set(address, account);
    for (const mailbox of [account.inbox, account.junk]) {
      this.boxes.set(mailbox, { rows: [], removed: [], last: 0 });
    }
    return account;
  }

  /** Adds one message and gives its uid. */
  deliver(mailbox: MailboxId, body: Buffer, given: Given = {}): Uid {
    const box = this.boxes.get(mailbox);
    if (!box) throw new Error("no such mailbox");
    const id = ++this.#ids as BodyId;
    this.octets.set(id, Buffer.from(body));
    const place = {
      body: id,
      segment: 1 as SegmentId,
      offset: 0,
      octets: body.length,
      crc32: crc32(body),
      sha256: hash("sha256", body, "buffer"),
      dotted: /^\./m.test(body.toString("latin1")),
    };
    const uid = ++box.last as Uid;
    box.rows.push({ uid, received: 0, octetsDowngraded: body.length, place, tag: 0xa0000000 + uid, ...given });
    return uid;
  }

  #append({ body, received, octetsDowngraded, recipients }: Delivery) {
    if (body.kind !== "memory") throw new Error("only bodies in memory");
    const octets = Buffer.from(body.buffer, body.start, body.octets);
    return recipients.map(({ account, mailbox, quota }) => {
      if (!this.boxes.has(mailbox)) return err("no-mailbox");
      if (quota && !fits(this.#held(account), quota, body.octets)) return err("over-quota");
      return ok(this.deliver(mailbox, octets, { received, octetsDowngraded }));
    });
  }

  #held(id: AccountId) {
    const account = [...this.accounts.values()].find((one) => one.id === id);
    const rows = [account?.inbox, account?.junk].flatMap((box) => (box && this.boxes.get(box)?.rows) ?? []);
    return usageOf(rows);
  }

  #row(mailbox: MailboxId, uid: Uid): Row | undefined {
    return this.boxes.get(mailbox)?.rows.find((row) => row.uid === uid);
  }

  #open(place: BodyPlace): BodyFile | undefined {
    const octets = this.octets.get(place.body);
    if (!octets) return undefined;
    this.openFiles += 1;
    const file = Buffer.concat([Buffer.alloc(BODY_HEAD_OCTETS), octets]);
    const read = (how: "now" | "later", target: Uint8Array, position: number): number => {
      this.reads.push(how);
      if (this.disk.failure) throw this.disk.failure;
      const from = BODY_HEAD_OCTETS + position;
      const most = Math.min(target.length, this.disk.mostPerRead);
      const end = Math.min(file.length, BODY_HEAD_OCTETS + place.octets, from + most);
      return file.copy(target, 0, from, Math.max(from, end));
    };
    return {
      readSync: (target, position) => read("now", target, position),
      read: (target, position) =>
        new Promise((resolve) => setImmediate(resolve)).then(() => read("later", target, position)),
      close: () => {
        this.openFiles -= 1;
      },
    };
  }
}

function usageOf(rows: readonly Row[]): Usage {
  return { messages: rows.length, octets: rows.reduce((sum, row) => sum + row.place.octets, 0) };
}

function matches({ row, at, cause }: Removed, { since, device, uid }: RemovedFilter): boolean {
  return at >= (since ?? at) && cause.device === (device ?? cause.device) && row.uid === (uid ?? row.uid);
}

function shown({ row, at, cause }: Removed): RemovedMessage {
  const { uid, received, place } = row;
  const { session, device } = cause;
  return { uid, octets: place.octets, uidl: row.name ?? uidl(uid, row.tag), received, at, session, device };
}

function pageOf(rows: readonly Row[], limit: number, octetsAs: OctetsAs): ListingPage {
  const page = rows.slice(0, limit);
  return {
    messages: page.length,
    uids: Uint32Array.from(page, (row) => row.uid),
    octets: Uint32Array.from(page, (row) => (octetsAs === "stored" ? row.place.octets : row.octetsDowngraded)),
    tags: Uint32Array.from(page, (row) => row.tag),
    names: new Map(page.flatMap((row, index) => (row.name === undefined ? [] : [[index, row.name] as const]))),
  };
}

/** Leases of one thread: nobody waits, for nothing else can happen meanwhile. */
function ownLeases(): Leases {
  const table = new LeaseTable(createLeaseWords(), 1, systemClock);
  return {
    acquire: (mailbox, claim, lost) => table.acquire(mailbox, { ...claim, waitMs: 0 }, lost),
    revoke: (mailbox) => table.revoke(mailbox),
    secondsSinceOpened: (mailbox) => table.secondsSinceOpened(mailbox),
    held: (mailbox) => table.held(mailbox),
  };
}

/** Asks until it is not told to wait. The piece lasts until the next call. */
export async function nextPiece(reader: MessageReader): Promise<Uint8Array | string> {
  for (;;) {
    const { promise, resolve } = Promise.withResolvers<void>();
    const piece = reader.next(resolve);
    if (piece !== "later") return piece;
    await promise;
  }
}

/** Pulls all of a message, as a driver would, and closes the reader. */
export async function pull(reader: MessageReader): Promise<{ pieces: Buffer[]; end: string }> {
  const pieces: Buffer[] = [];
  for (;;) {
    const piece = await nextPiece(reader);
    if (typeof piece !== "string") pieces.push(Buffer.from(piece));
    else {
      reader.close();
      return { pieces, end: piece };
    }
  }
}
