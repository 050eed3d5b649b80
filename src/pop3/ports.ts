import type { Credentials } from "../auth/engine/credentials.ts";
import type { Result } from "../lib/result.ts";
import type { Address } from "../model/address.ts";
import type { AccountId, MailboxId, Uid } from "../model/ids.ts";
import type { Listing } from "../model/listing.ts";
import type { MessageReader } from "../model/message-reader.ts";
import type { Peer } from "../model/peer.ts";

/** Who logged in and which of the account's maildrops the name meant (INTERFACE "Names of people"). */
export type Identity = {
  readonly account: AccountId;
  readonly address: Address;
  readonly mailbox: MailboxId;
};

/**
 * "refused": wrong password, unknown, disabled or out of scope, which nobody can tell apart (P10, `[AUTH]`);
 * "throttled": too many failures from there, not judged; "unavailable": the store or the hasher cannot answer
 * (`[SYS/TEMP]`, rule 3206-01).
 */
export type LoginRefusal = "refused" | "throttled" | "unavailable";

/** A maildrop in session: its lease is held until `release`. */
export type OpenMaildrop = {
  readonly messages: number;
  readonly octets: number;
  /** The messages as they were at the open; later deliveries do not show (rule 1939-07). */
  listing(): Promise<Listing>;
  read(uid: Uid): MessageReader;
  /** Notes progress of the client, for the lease. */
  touch(): void;
  /**
   * UPDATE (RFC 1939 §6): removes exactly these in one transaction, gives the lease back, and tells the outcome.
   * "lost": the lease was taken over, nothing was removed; "failed" and "full": the store did not commit.
   */
  update(uids: Uint32Array): Promise<Result<{ readonly removed: number }, "lost" | "full" | "failed">>;
  /** Ends without UPDATE; harmless twice and after update(). */
  release(): void;
};

/** What a POP3 session needs of the house. A rejected promise is an outage and is answered `[SYS/TEMP]` or `[SYS/PERM]`. */
export type Pop3Ports = Readonly<{
  /** `tls`: the version that protects the connection, "" in clear text. */
  login: (credentials: Credentials, peer: Peer, tls: string) => Promise<Result<Identity, LoginRefusal>>;
  /** `lost` is called when the lease is taken over: the session is then cut without UPDATE. */
  openMaildrop: (identity: Identity, lost: () => void) => Promise<Result<OpenMaildrop, "in-use">>;
}>;
