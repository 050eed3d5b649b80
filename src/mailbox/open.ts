import type { Clock } from "../lib/clock.ts";
import { err, ok, type Result } from "../lib/result.ts";
import type { Address } from "../model/address.ts";
import type { AccountId, MailboxId, Uid } from "../model/ids.ts";
import type { Listing } from "../model/listing.ts";
import type { Actor } from "../model/history.ts";
import { uidl } from "../model/message.ts";
import type { MessageReader } from "../model/message-reader.ts";
import type { Peer } from "../model/peer.ts";
import type { Log } from "../observe/log-port.ts";
import type { Counter, Metrics } from "../observe/metrics-port.ts";
import { type Lease, type OctetsAs, type Snapshot, type Store, StoreError } from "../store/ports.ts";
import { goneOf } from "../store/removal-ports.ts";
import { createInbound, type Inbound } from "./append.ts";
import { DiskPace } from "./disk-pace.ts";
import type { TransferNotes } from "./history.ts";
import { findDamaged, lookAt, type Look } from "./damaged.ts";
import { indexOfUid, readListing, sumsUp } from "./listing.ts";
import { Places } from "./places.ts";
import { createReadPool } from "./read-pool.ts";
import { openReader, type ReadParts, type ReadWatch } from "./read.ts";

/** Whose maildrop is opened, by which device. */
export type Owner = {
  readonly account: AccountId;
  readonly address: Address;
  readonly mailbox: MailboxId;
  readonly device: { readonly name: string; readonly mark: number };
  readonly loginDelaySeconds: number;
};

/** How a session opens a maildrop (pop3/ports.ts). */
export type Opening = { readonly peer: Pick<Peer, "address">; readonly session: string; readonly utf8: boolean };

/** A maildrop in session: its lease is held until `release`. (What each member promises: pop3/ports.ts.) */
export type OpenMaildrop = {
  readonly messages: number;
  readonly octets: number;
  listing(): Promise<Listing>;
  read(uid: Uid): MessageReader;
  transferred(uid: Uid, octets: number, whole: boolean): void;
  touch(): void;
  update(uids: Uint32Array): Promise<Result<Updated, "lost" | "full" | "failed">>;
  release(): void;
};

/** `kept`: of the marked messages, those that stay because their rows are damaged. */
type Updated = { readonly removed: number; readonly kept?: number };

/** The only room that adds or removes messages. */
export type Mailboxes = Inbound & {
  /** Takes the lease, then looks: what others remove cannot be seen half done. Rejects when the store cannot answer. */
  openMaildrop(
    owner: Owner,
    opening: Opening,
    lost: () => void,
  ): Promise<Result<OpenMaildrop, "in-use" | "login-delay">>;
};

export type MailboxesOptions = {
  readonly store: Pick<Store, "mail" | "bodies" | "leases">;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Takes what is told of transfers (mailbox/history.ts). */
  readonly history: Pick<TransferNotes, "add">;
  /** limits.pop3_takeover_seconds, asked at each open. */
  readonly takeoverSeconds: () => number;
  /** retention.undelete_days, asked at each UPDATE; 0: removed is gone. */
  readonly undeleteDays: () => number;
  /** Counts the sessions of an account, of all its maildrops and doors; undefined of `enter`: there are too many. */
  readonly sessions?: { enter(account: AccountId): CountedSession | undefined };
};

/** One session of an account, counted until `leave`, which is harmless twice. */
type CountedSession = { readonly leave: () => void };

/** A second session of one person often comes while the first is saying goodbye (DESIGN, QUIT). */
const LEASE_WAIT_MS = 2000;
/** Of more marks than these the rows are looked at before the store is asked to remove them. */
const LOOKED_AT_BEFORE = 1000;
const NOT_REMOVED = "its row is damaged, so it was not removed";

type Parts = ReadParts &
  Pick<MailboxesOptions, "clock" | "log" | "history" | "undeleteDays"> & {
    readonly mail: Store["mail"];
    readonly damaged: Counter;
    readonly erased: Counter;
  };

/** Makes the mailbox room over a store; one for each thread. */
export function createMailboxes(options: MailboxesOptions): Mailboxes {
  const { store, clock, log, metrics } = options;
  const { mail, bodies, leases } = store;
  const refused = {
    "in-use": metrics.counter("mailkeep_logins_total", "in_use"),
    "login-delay": metrics.counter("mailkeep_logins_total", "login_delay"),
  };
  const parts: Parts = {
    ...options,
    mail,
    bodies,
    pool: createReadPool(),
    pace: new DiskPace(clock.monotonic),
    damaged: metrics.counter("mailkeep_store_damaged_total"),
    erased: metrics.counter("mailkeep_erased_messages_total", "not_kept"),
  };
  const lease = async (owner: Owner, lost: () => void): Promise<Result<Lease, "in-use" | "login-delay">> => {
    const delay = owner.loginDelaySeconds;
    // Asked before the lease is taken, which begins the delay anew: who comes too early does not have to wait longer for it.
    if (delay > 0 && leases.secondsSinceOpened(owner.mailbox) < delay) return err("login-delay");
    const takeOver = { mark: owner.device.mark, afterSeconds: options.takeoverSeconds() };
    return leases.acquire(owner.mailbox, { waitMs: LEASE_WAIT_MS, takeOver }, lost);
  };
  const refuse = (why: keyof typeof refused, { address, device }: Owner, { peer }: Opening) => {
    refused[why].add();
    log.info("pop3.refused", { account: address, device: device.name, reason: why, peer: peer.address });
    return err(why);
  };
  return {
    ...createInbound(mail),
    async openMaildrop(owner, opening, lost) {
      const session = options.sessions === undefined ? UNCOUNTED : options.sessions.enter(owner.account);
      if (session === undefined) return refuse("in-use", owner, opening);
      const taken = await lease(owner, lost);
      if (!taken.ok) {
        session.leave();
        return refuse(taken.error, owner, opening);
      }
      try {
        // Asked under the lease: an account that was disabled or removed since its login was judged has no session.
        const snapshot = await mail.snapshot(owner.mailbox);
        if (!snapshot?.enabled) {
          throw new StoreError("unavailable", "the account was removed or disabled while it logged in");
        }
        // The login found the maildrop by an index, this by its row: only a damaged store can disagree with itself.
        if (snapshot.account !== owner.account) throw new StoreError("damaged", "the maildrop is another account's");
        return ok(new Maildrop(parts, { owner, opening, lease: taken.value, snapshot, session }));
      } catch (error) {
        taken.value.release();
        session.leave();
        throw error;
      }
    },
  };
}

const UNCOUNTED: CountedSession = { leave: () => undefined };

type Opened = {
  readonly owner: Owner;
  readonly opening: Opening;
  readonly lease: Lease;
  readonly snapshot: Snapshot;
  readonly session: CountedSession;
};

class Maildrop implements OpenMaildrop, ReadWatch {
  readonly #parts: Parts;
  readonly #owner: Owner;
  readonly #actor: Actor;
  readonly #octetsAs: OctetsAs;
  readonly #lease: Lease;
  readonly #snapshot: Snapshot;
  readonly #places: Places;
  #reading: Promise<Listing> | undefined;
  #listing: Listing | undefined;
  #updating = false;
  #released = false;
  readonly #session: CountedSession;

  constructor(parts: Parts, { owner, opening, lease, snapshot, session }: Opened) {
    this.#parts = parts;
    this.#owner = owner;
    this.#actor = { session: opening.session, device: owner.device.name, peer: opening.peer.address };
    this.#octetsAs = opening.utf8 ? "stored" : "downgraded";
    this.#lease = lease;
    this.#snapshot = snapshot;
    this.#session = session;
    this.#places = new Places(parts.mail, owner.mailbox);
  }

  get messages(): number {
    return this.#snapshot.messages;
  }

  get octets(): number {
    return this.#octetsAs === "stored" ? this.#snapshot.octets : this.#snapshot.octetsDowngraded;
  }

  listing(): Promise<Listing> {
    this.#reading ??= this.#readListing();
    return this.#reading;
  }

  read(uid: Uid): MessageReader {
    const octets = this.#listing?.octets[indexOfUid(this.#listing.uids, uid)] ?? 0;
    const task = { uid, places: this.#places, octets, octetsAs: this.#octetsAs, watch: this };
    return openReader(this.#parts, task);
  }

  transferred(uid: Uid, octets: number, whole: boolean): void {
    const { history, clock } = this.#parts;
    const { account, mailbox } = this.#owner;
    history.add({ ...this.#actor, account, mailbox, uid, at: clock.now(), kind: whole ? "sent" : "cut", octets });
  }

  damaged(uid: Uid, reason: string): void {
    const { log, damaged } = this.#parts;
    damaged.add();
    log.error("store.damaged", { account: this.#owner.address, uidl: this.#nameOf(uid), reason });
  }

  failed(uid: Uid, reason: string): void {
    this.#parts.log.error("store.unreadable", { account: this.#owner.address, uidl: this.#nameOf(uid), reason });
  }

  touch(): void {
    this.#lease.touch();
  }

  async update(uids: Uint32Array): Promise<Result<Updated, "lost" | "full" | "failed">> {
    // From here on no take-over is possible: either these are removed by us, or nothing is.
    if (this.#released || !this.#lease.beginUpdate()) {
      this.release();
      return err("lost");
    }
    this.#updating = true;
    try {
      const { mail, undeleteDays } = this.#parts;
      const cause = { ...this.#actor, kind: "removed", keep: undeleteDays() > 0 } as const;
      const look = uids.length > LOOKED_AT_BEFORE ? await this.#lookAt(uids) : undefined;
      const sound = look?.sound ?? uids;
      const seen = look && { ...look.seen, gone: goneOf(this.#snapshot) };
      const outcome = await mail.expunge(this.#owner.mailbox, sound, cause, seen);
      if (!outcome.ok) return outcome;
      const { removed, damaged = [] } = outcome.value;
      for (const uid of damaged) this.damaged(uid, NOT_REMOVED);
      if (!cause.keep) this.#erased(removed, look?.seen.octets ?? this.#octetsOf(uids));
      const kept = damaged.length + uids.length - sound.length;
      return ok(kept === 0 ? { removed } : { removed, kept });
    } catch (error) {
      // The store says why in the log; here only the outcome matters, and it must never look like success.
      if (error instanceof StoreError) return err("failed");
      throw error;
    } finally {
      this.#updating = false;
      this.release();
    }
  }

  /** The store only notes a large removal, and looks at the rows when it has been answered. */
  async #lookAt(uids: Uint32Array): Promise<Look> {
    const look = await lookAt(this.#parts.mail, this.#owner.mailbox, uids);
    for (const uid of look.damaged) this.damaged(uid, NOT_REMOVED);
    return look;
  }

  #octetsOf(uids: Uint32Array): number {
    const listing = this.#listing;
    return listing ? uids.reduce((sum, uid) => sum + (listing.octets[indexOfUid(listing.uids, uid)] ?? 0), 0) : 0;
  }

  /** Where nothing is kept for undelete the removal itself erases for good, and that is audited. */
  #erased(messages: number, octets: number): void {
    const { log, erased } = this.#parts;
    erased.add(messages);
    log.info("store.erased", { messages, octets, reason: "not-kept" });
  }

  release(): void {
    this.#released = true;
    // An UPDATE that is on its way holds the maildrop until it is decided.
    if (this.#updating) return;
    this.#lease.release();
    this.#session.leave();
  }

  async #readListing(): Promise<Listing> {
    const { mail } = this.#parts;
    const stopped = (): boolean => this.#released;
    try {
      const listing = await readListing(mail, this.#owner.mailbox, this.#snapshot, stopped, this.#octetsAs);
      this.#listing = listing;
      if (!sumsUp(listing, this.#snapshot, this.#octetsAs)) await this.#findWhatIsWrong();
      return listing;
    } catch (error) {
      // Asked again at the next command that needs it.
      this.#reading = undefined;
      throw error;
    }
  }

  /**
   * The octets are not what was counted. Where rows are damaged it is those, which no RETR sends and no QUIT removes, and all
   * others can be had; else rows are missing or the counters wrong, and nothing may be numbered.
   */
  async #findWhatIsWrong(): Promise<void> {
    const { mailbox } = this.#owner;
    const damaged = await findDamaged(this.#parts.mail, mailbox, 0, this.#snapshot.highestUid);
    for (const uid of damaged) this.damaged(uid, "its row is damaged");
    if (damaged.length > 0) return;
    this.#listing = undefined;
    throw new StoreError("damaged", "the messages of the mailbox have other octets than were counted");
  }

  #nameOf(uid: Uid): string {
    const index = this.#listing ? indexOfUid(this.#listing.uids, uid) : -1;
    return this.#listing?.names.get(index) ?? uidl(uid, this.#listing?.tags[index] ?? 0);
  }
}
