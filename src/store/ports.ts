import type { Result } from "../lib/result.ts";
import type { Account } from "../model/account.ts";
import type { Address, Domain } from "../model/address.ts";
import type { ReadyBody } from "../model/body.ts";
import type { AppPassword, AppPasswordId } from "../model/device.ts";
import type { Actor, HistoryEntry, Transfer } from "../model/history.ts";
import type { AccountId, BodyId, MailboxId, SegmentId, Uid } from "../model/ids.ts";
import type { Listing } from "../model/listing.ts";
import type { Quota, Usage } from "../model/quota.ts";
import type { Expunged, Inspected, Seen } from "./removal-ports.ts";
import type { Scrubbing } from "./scrub/ports.ts";

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
  /** Whether it was a sync that failed: what was written before may be lost, and asking again would not tell. */
  readonly sync: boolean;

  constructor(
    kind: "unavailable" | "damaged",
    message: string,
    options?: ErrorOptions & { readonly full?: boolean; readonly sync?: boolean },
  ) {
    super(message, options);
    this.name = "StoreError";
    this.kind = kind;
    this.full = options?.full ?? false;
    this.sync = options?.sync ?? false;
  }
}

export type NewAccount = {
  readonly address: Address;
  readonly secret: string;
  /** Account.scram. */
  readonly scram?: Uint8Array | null;
  readonly enabled: boolean;
  readonly quota: {
    readonly octets: number | null;
    readonly messages: number | null;
  };
};

export type AccountChange = Partial<
  Pick<Account, "secret" | "scram" | "enabled" | "quota" | "expireDays" | "loginDelaySeconds" | "language">
>;

/** What CAPA says before a login is of all enabled accounts together (rules 2449-07, 2449-08). */
export type DirectorySummary = {
  /** Whether every enabled account has SCRAM keys. */
  readonly everyoneHasScram: boolean;
  /** The figures of accounts that have one of their own; null: none has. 0 of `expireDays` is never, and counts last. */
  readonly shortestExpireDays: number | null;
  readonly longestLoginDelaySeconds: number | null;
};

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
  /** Another secret without its own `scram` takes the SCRAM keys away: they would let the old password in. */
  changeAccount(address: Address, change: AccountChange): Promise<Result<Account, "unknown" | WriteFailure>>;
  /**
   * Gives an account SCRAM keys that go with a secret it has; "changed": it has another one by now, and nothing was done.
   */
  addScram(
    account: AccountId,
    secret: string,
    scram: Uint8Array,
  ): Promise<Result<void, "unknown" | "changed" | WriteFailure>>;
  summary(): Promise<DirectorySummary>;
  /**
   * Removes the account with all that is its own in one transaction: mailboxes, messages, what undelete kept, history,
   * app passwords and known places.
   */
  removeAccount(address: Address): Promise<Result<{ readonly messages: number }, "unknown" | WriteFailure>>;
};

/** A use of an app password, written later in a batch. */
export type AppPasswordUse = { readonly id: AppPasswordId; readonly at: number; readonly peer: string };

/** Where an account's owner came from: the /24 or /64, and when last (ms since 1970). */
export type KnownPlace = { readonly account: AccountId; readonly place: string; readonly last: number };

/** What belongs to accounts besides mail: the passwords of their devices, and where they came from. */
export type Devices = {
  /** In order of name. */
  appPasswords(account: AccountId): Promise<readonly AppPassword[]>;
  addAppPassword(
    given: Omit<AppPassword, "id" | "lastUsed" | "lastPeer">,
  ): Promise<Result<AppPassword, "exists" | "too-many" | "unknown" | WriteFailure>>;
  removeAppPassword(account: AccountId, name: string): Promise<Result<void, "unknown" | WriteFailure>>;
  /** Notes uses; what was revoked meanwhile is skipped, and an older use never hides a newer one. */
  noteUses(uses: readonly AppPasswordUse[]): Promise<Result<void, WriteFailure>>;
  /** Notes places in the same way, and forgets those of an account beyond its newest 64. */
  noteKnownPlaces(places: readonly KnownPlace[]): Promise<Result<void, WriteFailure>>;
  /** With the address of each account; the newest first, `limit` at most, none older than `since`. */
  knownPlaces(query: {
    readonly since: number;
    readonly limit: number;
  }): Promise<readonly (KnownPlace & { readonly address: Address })[]>;
};

/** Most app passwords of one account: each proof is tried against each. */
export const MOST_APP_PASSWORDS = 32;

/** What became of each message, for whoever asks later (model/history.ts). */
export type History = {
  /** Writes transfers that were gathered. Mailboxes that are gone meanwhile are skipped. */
  note(transfers: readonly Transfer[]): Promise<Result<void, WriteFailure>>;
  /**
   * Entries of a mailbox, the newest first, of one message or of all; those with an id below `before`. `uids` of one entry
   * holds `mostUids` at most; of one message asked for, an entry tells what it says of that one (`octets` too), and
   * "restored" is found under the old uid and under the new one.
   */
  entries(query: {
    readonly mailbox: MailboxId;
    readonly uid?: Uid;
    readonly before?: number;
    readonly limit: number;
    readonly mostUids: number;
  }): Promise<readonly HistoryEntry[]>;
};

/** Why and by whom messages are removed; "keep": they go where undelete finds them, else they are gone. */
export type RemovalCause = Actor & { readonly kind: "removed" | "expired"; readonly keep: boolean };

/** A message that undelete may bring back. */
export type RemovedMessage = {
  readonly uid: Uid;
  readonly octets: number;
  readonly uidl: string;
  readonly received: number;
  readonly at: number;
  readonly session: string;
  readonly device: string;
};

/** Which removed messages; all that is given has to hold. */
export type RemovedFilter = {
  /** Removed at this time or later (ms since 1970). */
  readonly since?: number;
  /** By a device of this name; "": by the account's own password. */
  readonly device?: string;
  readonly uid?: Uid;
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
  readonly account: AccountId;
  readonly octetsDowngraded: number;
  readonly highestUid: number;
  /** Whether its account may log in. */
  readonly enabled: boolean;
  /** What undelete may bring back; counts towards no quota. */
  readonly removed: Usage;
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
  /** Octets as sent to a client without UTF8; `place.octets` where nothing is down-converted. */
  readonly octetsDowngraded: number;
  readonly place: BodyPlace;
};

/** Which figure a listing gives as octets: as stored, or as sent to a client without UTF8 (RFC 6856). */
export type OctetsAs = "stored" | "downgraded";

/** Messages. Only `mailbox/` calls append and expunge. */
export type Mail = {
  /** INBOX and Junk together, as a quota counts. */
  usage(account: AccountId): Promise<Usage>;
  append(delivery: Delivery): Promise<Result<Appended, WriteFailure>>;
  snapshot(mailbox: MailboxId): Promise<Snapshot | undefined>;
  /** Messages with `after` < uid ≤ `upTo`, `limit` at most. */
  listPage(mailbox: MailboxId, after: number, upTo: number, limit: number, octetsAs?: OctetsAs): Promise<ListingPage>;
  /** undefined: no such message (any more). */
  locate(mailbox: MailboxId, uid: Uid): Promise<StoredMessage | undefined>;
  /** The message and those behind it, `limit` at most, fewer where something is wrong with the next; none: no such message. */
  locateFrom(mailbox: MailboxId, uid: Uid, limit: number): Promise<readonly StoredMessage[]>;
  /**
   * Removes these messages in one committed step, and writes the entry of their history in it; uids that are not there (any
   * more) are not counted. Without a cause nothing is kept for undelete and no history is written. Of thousands the rows
   * are only looked at when they are carried out: look before (`inspect`) and hand over what was seen, or everybody waits.
   */
  expunge(
    mailbox: MailboxId,
    uids: Uint32Array,
    cause?: RemovalCause,
    seen?: Seen,
  ): Promise<Result<Expunged, WriteFailure>>;
  /** Looks at the rows of messages with `after` < uid ≤ `upTo`, `limit` at most, whether they are as they were written. */
  inspect(mailbox: MailboxId, after: number, upTo: number, limit: number): Promise<Inspected>;
  /** Messages that came before a time, `limit` at most, the lowest uids first. */
  receivedBefore(mailbox: MailboxId, before: number, limit: number): Promise<Uint32Array>;
  /**
   * What undelete may bring back, the newest removal first; those behind `after` of the last page. Of a large removal that is
   * being carried out, some appear a moment later.
   */
  removedMessages(
    mailbox: MailboxId,
    query: RemovedFilter & {
      readonly after?: { readonly at: number; readonly uid: Uid };
      readonly limit: number;
    },
  ): Promise<readonly RemovedMessage[]>;
  /**
   * Brings removed messages back under new uids in one committed step, in the order in which they first came, whatever the
   * quota says; `more`: there were too many for one step, ask again, also where none came back in this one: removals that
   * wait to be carried out are found too, and come first.
   */
  restore(
    mailbox: MailboxId,
    filter: RemovedFilter,
    cause: Actor,
  ): Promise<Result<{ readonly restored: number; readonly more: boolean }, "no-mailbox" | WriteFailure>>;
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
  /**
   * Erases, for good, one slice of what undelete kept: removed before this time, the oldest first; writes its history.
   * `more`: there is more of it.
   */
  erase(
    removedBefore: number,
  ): Promise<Result<{ readonly messages: number; readonly octets: number; readonly more: boolean }, WriteFailure>>;
  /** Forgets one slice of history, and places, older than these times. */
  forget(before: {
    readonly history: number;
    readonly places: number;
  }): Promise<Result<{ readonly more: boolean }, WriteFailure>>;
  /** Notes the time of day that is believed, so that the next start can tell whether its clock is a wrong one. */
  noteTime(at: number): Promise<Result<void, WriteFailure>>;
  /** The time that was noted last; undefined: never. */
  lastTime(): Promise<number | undefined>;
  /** What undelete may bring back in all mailboxes together. */
  removedUsage(): Promise<Usage>;
  /** Octets of the disk that are free for mail, and all of it. */
  space(): Promise<{ readonly free: number; readonly total: number }>;
  /** "ok", or why nothing can be acknowledged now; "stopped": a sync failed, and only a restart tells what is on disk. */
  state(): Promise<"ok" | "stopped" | WriteFailure>;
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

/** Who asks for a lease, and whose dead session it may take over. */
export type Claim = {
  /** How long a held lease is waited for, in ms. */
  readonly waitMs: number;
  /**
   * Device.mark: a lease held by the same device (not in UPDATE) is taken once its holder has made no progress for so many
   * seconds; absent: never.
   */
  readonly takeOver?: { readonly mark: number; readonly afterSeconds: number };
  /** A job asks, not a session: it is no opening that `secondsSinceOpened` would tell of. */
  readonly job?: true;
};

export type Leases = {
  /** Takes a lease, by claim or once it is free. `lost` is called at most once, when another took it. */
  acquire(mailbox: MailboxId, claim: Claim, lost: () => void): Promise<Result<Lease, "in-use">>;
  /** Seconds since the last lease of this mailbox was acquired by a session, Infinity: never since the start. */
  secondsSinceOpened(mailbox: MailboxId): number;
  /** Takes the lease from whoever holds it (an administrator's act); resolves once it is ours or, in UPDATE, free. */
  revoke(mailbox: MailboxId): Promise<Lease>;
  held(mailbox: MailboxId): boolean;
};

/** All of a store, as `app/build.ts` hands it out. */
export type Store = Readonly<{
  directory: Directory;
  devices: Devices;
  history: History;
  mail: Mail;
  bodies: Bodies;
  upkeep: Upkeep;
  scrub: Scrubbing;
  leases: Leases;
}>;
