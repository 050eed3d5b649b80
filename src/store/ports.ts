import type { Result } from "../lib/result.ts";
import type { Account } from "../model/account.ts";
import type { Address, Domain } from "../model/address.ts";
import type { ReadyBody } from "../model/body.ts";
import type { AccountId, BodyId, MailboxId, SegmentId, Uid } from "../model/ids.ts";
import type { Listing } from "../model/listing.ts";
import type { Quota, Usage } from "../model/quota.ts";

/*
 * What the services may ask of a store. The verbs are coarse: an adapter runs one transaction for one call, and one
 * contract suite (test/contracts/) holds every adapter to the same behaviour. A store that cannot answer a read at all
 * (disk gone, database damaged) rejects with StoreError; what a caller must decide about is a Result.
 */

/** Why a write did not happen; nothing of it is there. "full": no room, try later. "failed": anything else. */
export type WriteFailure = "full" | "failed";

/** The store could not be read: an outage (`[SYS/TEMP]`) or damage (`[SYS/PERM]`), never a wrong password. */
export class StoreError extends Error {
  readonly kind: "unavailable" | "damaged";
  /** Whether the reason is a full disk; then what failed was a write. */
  readonly full: boolean;

  constructor(kind: "unavailable" | "damaged", message: string, options?: ErrorOptions & { readonly full?: boolean }) {
    super(message, options);
    this.name = "StoreError";
    this.kind = kind;
    this.full = options?.full ?? false;
  }
}

export type NewAccount = {
  readonly address: Address;
  readonly secret: string;
  readonly enabled: boolean;
  readonly quota: {
    readonly octets: number | null;
    readonly messages: number | null;
  };
};

export type AccountChange = Partial<Pick<Account, "secret" | "enabled" | "quota">>;

/** Domains and accounts. Account ids are never reused, also not for the same address made again. */
export type Directory = {
  domains(): Promise<readonly Domain[]>;
  hasDomain(domain: Domain): Promise<boolean>;
  addDomain(domain: Domain, now: number): Promise<Result<void, "exists" | WriteFailure>>;
  removeDomain(domain: Domain): Promise<Result<void, "unknown" | "in-use" | WriteFailure>>;

  account(address: Address): Promise<Account | undefined>;
  /** Accounts in order of address, those after `after`, `limit` at most; of one domain or of all. */
  accounts(query: {
    readonly domain?: Domain;
    readonly after?: Address;
    readonly limit: number;
  }): Promise<readonly Account[]>;
  /** All or nothing; `index` says which of them could not be added. Each gets an INBOX and a Junk. */
  addAccounts(
    accounts: readonly NewAccount[],
    now: number,
  ): Promise<
    Result<readonly Account[], { readonly index: number; readonly reason: "exists" | "no-domain" } | WriteFailure>
  >;
  changeAccount(address: Address, change: AccountChange): Promise<Result<Account, "unknown" | WriteFailure>>;
  /** Removes the account, its mailboxes and its messages in one transaction. */
  removeAccount(address: Address): Promise<Result<{ readonly messages: number }, "unknown" | WriteFailure>>;
};

/** One message for one or many mailboxes: one body, one row each, one transaction. */
export type Delivery = {
  readonly body: ReadyBody;
  /** When it came, ms since 1970. */
  readonly received: number;
  /** Octets as sent to a client without UTF8 (RFC 6856); equal to the body's where nothing is down-converted. */
  readonly octetsDowngraded: number;
  readonly recipients: readonly {
    readonly account: AccountId;
    readonly mailbox: MailboxId;
    /** Asked again inside the transaction; null where RCPT's answer stands (DESIGN, DATA). */
    readonly quota: Quota | null;
    /** A UIDL to keep instead of the made one (imported mail). */
    readonly uidl?: string;
  }[];
};

/** One outcome for each recipient, in order. */
export type Appended = readonly Result<Uid, "over-quota" | "no-mailbox">[];

/** What a maildrop holds at one moment. */
export type Snapshot = Usage & {
  readonly octetsDowngraded: number;
  readonly highestUid: number;
  /** Whether its account may log in. */
  readonly enabled: boolean;
};

/** A page of a listing, uids ascending. */
export type ListingPage = Listing;

/** Where a body lies. */
export type BodyPlace = {
  readonly body: BodyId;
  /** null: a file of its own. */
  readonly segment: SegmentId | null;
  /** Of the body's first octet in its file. */
  readonly offset: number;
  readonly octets: number;
  readonly crc32: number;
  readonly sha256: Uint8Array;
  readonly dotted: boolean;
};

export type StoredMessage = {
  readonly uid: Uid;
  readonly received: number;
  readonly place: BodyPlace;
};

/** Messages. Only `mailbox/` calls append and expunge. */
export type Mail = {
  /** INBOX and Junk together, as a quota counts. */
  usage(account: AccountId): Promise<Usage>;
  append(delivery: Delivery): Promise<Result<Appended, WriteFailure>>;
  snapshot(mailbox: MailboxId): Promise<Snapshot | undefined>;
  /** Messages with `after` < uid ≤ `upTo`, `limit` at most. */
  listPage(mailbox: MailboxId, after: number, upTo: number, limit: number): Promise<ListingPage>;
  /** undefined: no such message (any more). */
  locate(mailbox: MailboxId, uid: Uid): Promise<StoredMessage | undefined>;
  /** The message and those behind it, `limit` at most, fewer where something is wrong with the next; none: no such message. */
  locateFrom(mailbox: MailboxId, uid: Uid, limit: number): Promise<readonly StoredMessage[]>;
  /** Removes these messages in one committed step; uids that are not there (any more) are not counted. */
  expunge(mailbox: MailboxId, uids: Uint32Array): Promise<Result<{ readonly removed: number }, WriteFailure>>;
};

/**
 * An open body file. Positions count from the body's first octet; in front of it, at −BODY_HEAD_OCTETS, lies its head. A
 * read that begins there gives head and body in one go, and throws a StoreError of kind "damaged" when the head is not this
 * body's: so begin there.
 */
export type BodyFile = {
  /** Reads now, blocking; for what is likely in memory. Gives the octets read, 0 at the end. */
  readSync(target: Uint8Array, position: number): number;
  read(target: Uint8Array, position: number): Promise<number>;
  close(): void;
};

/** A body being written to disk as it comes, with room left at its head for trace headers. */
export type Spool = {
  readonly octets: number;
  /** Rejects with a StoreError of kind "unavailable" when the disk does not take it; `full` tells a full disk. */
  write(piece: Uint8Array): Promise<void>;
  /** Writes the trace headers in front, syncs, and gives what append() takes. */
  finish(head: Uint8Array): Promise<ReadyBody>;
  /** Removes it; harmless after finish() was taken by append(). */
  discard(): Promise<void>;
};

/** Octets a spool keeps free at its head for trace headers. */
export const SPOOL_HEAD_OCTETS = 16 * 1024;

/** The octets of messages. */
export type Bodies = {
  /** undefined: it is no longer there; look the row up once more (reclaim may have moved it). */
  open(place: BodyPlace): BodyFile | undefined;
  spool(): Promise<Spool>;
  /** A buffer of at least so many octets for a body held in memory, from those that came back after append(); not zeroed. */
  buffer(octets: number): ArrayBuffer;
};

/** What a pass of reclaim did; `more` asks for another one soon. */
export type Reclaimed = {
  readonly segmentsRemoved: number;
  readonly octetsMoved: number;
  readonly more: boolean;
};

/** Work that keeps the store small; run by jobs, one slice a call. */
export type Upkeep = {
  /** `eraseBefore`: octets dead since before this time (ms since 1970) leave the disk. */
  reclaim(eraseBefore: number): Promise<Reclaimed>;
  /** "ok", or why nothing can be acknowledged now. */
  state(): Promise<"ok" | WriteFailure>;
};

/** An exclusive hold on a maildrop (rule 1939-05, promise P4). */
export type Lease = {
  readonly mailbox: MailboxId;
  /** Whether it is still ours. */
  held(): boolean;
  /** Notes that the session made progress (octets read from or taken by the client). */
  touch(): void;
  /** Enters UPDATE, from which no take-over is possible; false: it was lost. */
  beginUpdate(): boolean;
  /** Gives it back; harmless twice, and when it was lost. */
  release(): void;
};

export type Leases = {
  /** Tries for up to `waitMs` for a held lease to come free. `lost` is called at most once, when another took it. */
  acquire(mailbox: MailboxId, waitMs: number, lost: () => void): Promise<Result<Lease, "in-use">>;
  /** Takes the lease from whoever holds it (an administrator's act); resolves once it is ours or, in UPDATE, free. */
  revoke(mailbox: MailboxId): Promise<Lease>;
  held(mailbox: MailboxId): boolean;
};

/** All of a store, as `app/build.ts` hands it out. */
export type Store = Readonly<{
  directory: Directory;
  mail: Mail;
  bodies: Bodies;
  upkeep: Upkeep;
  leases: Leases;
}>;
