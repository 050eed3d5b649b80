import type { Clock } from "../lib/clock.ts";
import { err, ok, type Result } from "../lib/result.ts";
import type { Address } from "../model/address.ts";
import type { AccountId, MailboxId, Uid } from "../model/ids.ts";
import type { Listing } from "../model/listing.ts";
import { uidl } from "../model/message.ts";
import type { MessageReader } from "../model/message-reader.ts";
import type { Log } from "../observe/log-port.ts";
import type { Counter, Metrics } from "../observe/metrics-port.ts";
import { type Lease, type Snapshot, type Store, StoreError } from "../store/ports.ts";
import { createInbound, type Inbound } from "./append.ts";
import { DiskPace } from "./disk-pace.ts";
import { indexOfUid, readListing } from "./listing.ts";
import { Places } from "./places.ts";
import { createReadPool } from "./read-pool.ts";
import { openReader, type ReadParts, type ReadWatch } from "./read.ts";

/** Whose maildrop is opened. */
export type Owner = { readonly account: AccountId; readonly address: Address; readonly mailbox: MailboxId };

/** A maildrop in session: its lease is held until `release`. (What each member promises: pop3/ports.ts.) */
export type OpenMaildrop = {
  readonly messages: number;
  readonly octets: number;
  listing(): Promise<Listing>;
  read(uid: Uid): MessageReader;
  touch(): void;
  update(uids: Uint32Array): Promise<Result<{ readonly removed: number }, "lost" | "full" | "failed">>;
  release(): void;
};

/** The only room that adds or removes messages. */
export type Mailboxes = Inbound & {
  /** Takes the lease, then looks: what others remove cannot be seen half done. Rejects when the store cannot answer. */
  openMaildrop(owner: Owner, lost: () => void): Promise<Result<OpenMaildrop, "in-use">>;
};

export type MailboxesOptions = {
  readonly store: Pick<Store, "mail" | "bodies" | "leases">;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
};

/** A second session of one person often comes while the first is saying goodbye (DESIGN, QUIT). */
const LEASE_WAIT_MS = 2000;

type Parts = ReadParts & {
  readonly mail: Store["mail"];
  readonly log: Log;
  readonly damaged: Counter;
};

/** Makes the mailbox room over a store; one for each thread. */
export function createMailboxes({ store, clock, log, metrics }: MailboxesOptions): Mailboxes {
  const { mail, bodies, leases } = store;
  const inUse = metrics.counter("mailkeep_logins_total", "in_use");
  const parts: Parts = {
    mail,
    bodies,
    log,
    pool: createReadPool(),
    pace: new DiskPace(clock.monotonic),
    damaged: metrics.counter("mailkeep_store_damaged_total"),
  };
  return {
    ...createInbound(mail),
    async openMaildrop(owner, lost) {
      const lease = await leases.acquire(owner.mailbox, LEASE_WAIT_MS, lost);
      if (!lease.ok) {
        inUse.add();
        return lease;
      }
      try {
        // Asked under the lease: an account that was disabled or removed since its login was judged has no session.
        const snapshot = await mail.snapshot(owner.mailbox);
        if (!snapshot?.enabled) {
          throw new StoreError("unavailable", "the account was removed or disabled while it logged in");
        }
        return ok(new Maildrop(parts, owner, lease.value, snapshot));
      } catch (error) {
        lease.value.release();
        throw error;
      }
    },
  };
}

class Maildrop implements OpenMaildrop, ReadWatch {
  readonly #parts: Parts;
  readonly #owner: Owner;
  readonly #lease: Lease;
  readonly #snapshot: Snapshot;
  readonly #places: Places;
  #reading: Promise<Listing> | undefined;
  #listing: Listing | undefined;
  #released = false;

  constructor(parts: Parts, owner: Owner, lease: Lease, snapshot: Snapshot) {
    this.#parts = parts;
    this.#owner = owner;
    this.#lease = lease;
    this.#snapshot = snapshot;
    this.#places = new Places(parts.mail, owner.mailbox);
  }

  get messages(): number {
    return this.#snapshot.messages;
  }

  get octets(): number {
    return this.#snapshot.octets;
  }

  listing(): Promise<Listing> {
    this.#reading ??= this.#readListing();
    return this.#reading;
  }

  read(uid: Uid): MessageReader {
    const octets = this.#listing?.octets[indexOfUid(this.#listing.uids, uid)] ?? 0;
    return openReader(this.#parts, { uid, places: this.#places, octets, watch: this });
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

  async update(uids: Uint32Array): Promise<Result<{ readonly removed: number }, "lost" | "full" | "failed">> {
    try {
      // From here on no take-over is possible: either these are removed by us, or nothing is.
      if (this.#released || !this.#lease.beginUpdate()) return err("lost");
      return await this.#parts.mail.expunge(this.#owner.mailbox, uids);
    } catch (error) {
      // The store says why in the log; here only the outcome matters, and it must never look like success.
      if (error instanceof StoreError) return err("failed");
      throw error;
    } finally {
      this.release();
    }
  }

  release(): void {
    this.#released = true;
    this.#lease.release();
  }

  async #readListing(): Promise<Listing> {
    const { mail } = this.#parts;
    this.#listing = await readListing(mail, this.#owner.mailbox, this.#snapshot, () => this.#released);
    return this.#listing;
  }

  #nameOf(uid: Uid): string {
    const index = this.#listing ? indexOfUid(this.#listing.uids, uid) : -1;
    return this.#listing?.names.get(index) ?? uidl(uid, this.#listing?.tags[index] ?? 0);
  }
}
