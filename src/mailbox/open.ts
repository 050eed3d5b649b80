import type { Clock } from "../lib/clock.ts";
import type { Result } from "../lib/result.ts";
import type { Account } from "../model/account.ts";
import type { Address } from "../model/address.ts";
import type { AccountId, MailboxId, Uid } from "../model/ids.ts";
import type { Listing } from "../model/listing.ts";
import type { MessageReader } from "../model/message-reader.ts";
import type { Quota, Usage } from "../model/quota.ts";
import type { Log } from "../observe/log-port.ts";
import type { Metrics } from "../observe/metrics-port.ts";
import type { Appended, Delivery, Store, WriteFailure } from "../store/ports.ts";

/** Whose maildrop is opened. */
export type Owner = { readonly account: AccountId; readonly address: Address; readonly mailbox: MailboxId };

/** A maildrop in session: its lease is held until `release`. */
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
export type Mailboxes = {
  openMaildrop(owner: Owner, lost: () => void): Promise<Result<OpenMaildrop, "in-use">>;
  append(delivery: Delivery): Promise<Result<Appended, WriteFailure>>;
  usage(account: AccountId): Promise<Usage>;
  /** Whether a message of so many octets still fits; RCPT asks with what SIZE said, or 0. */
  hasRoom(account: Account, octets: number, defaults: Quota): Promise<boolean>;
};

export type MailboxesOptions = {
  readonly store: Pick<Store, "directory" | "mail" | "bodies" | "leases">;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
};

/** Makes the mailbox room over a store. */
export function createMailboxes(options: MailboxesOptions): Mailboxes {
  throw new Error(`not built yet: ${Object.keys(options).length}`);
}
