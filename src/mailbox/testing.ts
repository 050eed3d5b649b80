import { hash } from "node:crypto";
import { crc32 } from "node:zlib";
import { err, ok } from "../lib/result.ts";
import type { Account } from "../model/account.ts";
import { type Address, splitAddress } from "../model/address.ts";
import { BODY_HEAD_OCTETS } from "../model/body.ts";
import type { AccountId, BodyId, MailboxId, SegmentId, Uid } from "../model/ids.ts";
import type { MessageReader } from "../model/message-reader.ts";
import { fits } from "../model/quota.ts";
import type {
  BodyFile,
  BodyPlace,
  Delivery,
  Directory,
  Lease,
  Leases,
  ListingPage,
  Mail,
  StoredMessage,
} from "../store/ports.ts";

type Row = StoredMessage & { readonly tag: number; readonly name?: string };

/** Mail, accounts, bodies and leases in memory, with knobs for what a disk does to people. */
export class MemoryStore {
  readonly accounts = new Map<Address, Account>();
  readonly boxes = new Map<MailboxId, { rows: Row[]; last: number }>();
  readonly octets = new Map<BodyId, Buffer>();
  /** Octets that one read gives at most, how long it takes, and what goes wrong. */
  readonly disk = { mostPerRead: Number.POSITIVE_INFINITY, failure: undefined as Error | undefined };
  readonly reads: ("now" | "later")[] = [];
  openFiles = 0;
  #ids = 0;

  readonly directory: Pick<Directory, "account" | "changeAccount" | "removeAccount"> = {
    account: (address) => Promise.resolve(this.accounts.get(address)),
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
      const octets = box?.rows.reduce((sum, row) => sum + row.place.octets, 0) ?? 0;
      const account = [...this.accounts.values()].find(({ inbox, junk }) => inbox === mailbox || junk === mailbox);
      const enabled = account?.enabled ?? false;
      return Promise.resolve(
        box && { messages: box.rows.length, octets, octetsDowngraded: octets, highestUid: box.last, enabled },
      );
    },
    listPage: (mailbox: MailboxId, after: number, upTo: number, limit: number) =>
      Promise.resolve(
        pageOf(
          (this.boxes.get(mailbox)?.rows ?? []).filter((row) => row.uid > after && row.uid <= upTo),
          limit,
        ),
      ),
    locate: (mailbox: MailboxId, uid: Uid) => Promise.resolve(this.#row(mailbox, uid)),
    locateFrom: (mailbox: MailboxId, uid: Uid, limit: number) => {
      const rows = this.boxes.get(mailbox)?.rows ?? [];
      const first = rows.findIndex((row) => row.uid === uid);
      return Promise.resolve(first < 0 ? [] : rows.slice(first, first + limit));
    },
    expunge: (mailbox: MailboxId, uids: Uint32Array) => {
      const box = this.boxes.get(mailbox);
      const before = box?.rows.length ?? 0;
      if (box) box.rows = box.rows.filter((row) => !uids.includes(row.uid));
      return Promise.resolve(ok({ removed: before - (box?.rows.length ?? 0) }));
    },
  } satisfies Mail;

  readonly bodies = { open: (place: BodyPlace) => this.#open(place) };
  readonly leases: Leases = new MemoryLeases();

  addAccount(address: Address): Account {
    const account: Account = {
      id: ++this.#ids as AccountId,
      address,
      domain: splitAddress(address).domain,
      secret: "",
      enabled: true,
      quota: { octets: null, messages: null },
      created: 0,
      inbox: ++this.#ids as MailboxId,
      junk: ++this.#ids as MailboxId,
    };
    this.accounts.set(address, account);
    for (const mailbox of [account.inbox, account.junk]) this.boxes.set(mailbox, { rows: [], last: 0 });
    return account;
  }

  /** Adds one message and gives its uid. */
  deliver(mailbox: MailboxId, body: Buffer, name?: string): Uid {
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
    box.rows.push({ uid, received: 0, place, tag: 0xa0000000 + uid, ...(name === undefined ? {} : { name }) });
    return uid;
  }

  #append({ body, recipients }: Delivery) {
    if (body.kind !== "memory") throw new Error("only bodies in memory");
    const octets = Buffer.from(body.buffer, body.start, body.octets);
    return recipients.map(({ account, mailbox, quota }) => {
      if (!this.boxes.has(mailbox)) return err("no-mailbox");
      if (quota && !fits(this.#held(account), quota, body.octets)) return err("over-quota");
      return ok(this.deliver(mailbox, octets));
    });
  }

  #held(id: AccountId) {
    const account = [...this.accounts.values()].find((one) => one.id === id);
    const rows = [account?.inbox, account?.junk].flatMap((box) => (box && this.boxes.get(box)?.rows) ?? []);
    return { messages: rows.length, octets: rows.reduce((sum, row) => sum + row.place.octets, 0) };
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

function pageOf(rows: readonly Row[], limit: number): ListingPage {
  const page = rows.slice(0, limit);
  return {
    messages: page.length,
    uids: Uint32Array.from(page, (row) => row.uid),
    octets: Uint32Array.from(page, (row) => row.place.octets),
    tags: Uint32Array.from(page, (row) => row.tag),
    names: new Map(page.flatMap((row, index) => (row.name === undefined ? [] : [[index, row.name] as const]))),
  };
}

/** Leases of one thread: nobody waits, for nothing else can happen meanwhile. */
class MemoryLeases implements Leases {
  readonly #holders = new Map<MailboxId, { lost: () => void; updating: boolean }>();

  acquire(mailbox: MailboxId, _waitMs: number, lost: () => void) {
    return Promise.resolve(this.#holders.has(mailbox) ? err("in-use") : ok(this.#take(mailbox, lost)));
  }

  revoke(mailbox: MailboxId): Promise<Lease> {
    const holder = this.#holders.get(mailbox);
    const lease = this.#take(mailbox, () => {});
    holder?.lost();
    return Promise.resolve(lease);
  }

  held(mailbox: MailboxId): boolean {
    return this.#holders.has(mailbox);
  }

  #take(mailbox: MailboxId, lost: () => void): Lease {
    const holder = { lost, updating: false };
    this.#holders.set(mailbox, holder);
    const ours = (): boolean => this.#holders.get(mailbox) === holder;
    return {
      mailbox,
      held: ours,
      touch: () => {},
      beginUpdate: () => {
        holder.updating = ours();
        return holder.updating;
      },
      release: () => {
        if (ours()) this.#holders.delete(mailbox);
      },
    };
  }
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
