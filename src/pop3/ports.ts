import type { Credentials } from "../auth/engine/credentials.ts";
import type { ScramFacts, ScramQuestion } from "../auth/engine/mechanism.ts";
import type { Result } from "../lib/result.ts";
import type { Address } from "../model/address.ts";
import type { Device } from "../model/device.ts";
import type { AccountId, MailboxId, Uid } from "../model/ids.ts";
import type { LanguageTag } from "../model/language.ts";
import type { Listing } from "../model/listing.ts";
import type { MessageReader } from "../model/message-reader.ts";
import type { Client, Peer } from "../model/peer.ts";
import type { Announced } from "./engine/announced.ts";

export type { Announced } from "./engine/announced.ts";

/** Who logged in, which of the account's maildrops the name meant (INTERFACE "Names of people"), and what holds for them. */
export type Identity = {
  readonly account: AccountId;
  readonly address: Address;
  readonly mailbox: MailboxId;
  readonly device: Device;
  /** The account's own language; undefined: none was chosen. */
  readonly language: LanguageTag | undefined;
  /** After so many days mail is removed; 0: never (rule 2449-07). */
  readonly expireDays: number;
  /** Between two logins; 0: none (rule 2449-08). */
  readonly loginDelaySeconds: number;
  /** Of SCRAM. */
  readonly serverSignature?: Uint8Array;
};

/**
 * "refused": wrong password, unknown, disabled or out of scope, which nobody can tell apart (P10, `[AUTH]`);
 * "throttled": too many failures from there, not judged; "unavailable": the store or the hasher cannot answer
 * (`[SYS/TEMP]`, rule 3206-01).
 */
export type LoginRefusal = "refused" | "throttled" | "unavailable";

/** How a session opens a maildrop. */
export type Opening = {
  readonly peer: Peer;
  /** The session's name in log and history. */
  readonly session: string;
  /** Whether UTF8 was said: octets and messages are as stored, else down-converted (RFC 6856 §2). */
  readonly utf8: boolean;
};

/** A maildrop in session: its lease is held until `release`. */
export type OpenMaildrop = {
  readonly messages: number;
  readonly octets: number;
  /** The messages as they were at the open; later deliveries do not show (rule 1939-07). Octets are as the session reads. */
  listing(): Promise<Listing>;
  read(uid: Uid): MessageReader;
  /** Notes, for the history, how the RETR of a message ended: whole with its checksum right, or cut after so many octets. */
  transferred(uid: Uid, octets: number, whole: boolean): void;
  /** Notes progress of the client, for the lease. */
  touch(): void;
  /**
   * UPDATE (RFC 1939 §6): removes exactly these in one transaction, gives the lease back, and tells the outcome.
   * `kept`: so many of them stay, for their rows are damaged. "lost": the lease was taken over, nothing was removed; "failed"
   * and "full": the store did not commit.
   */
  update(
    uids: Uint32Array,
  ): Promise<Result<{ readonly removed: number; readonly kept?: number }, "lost" | "full" | "failed">>;
  /** Ends without UPDATE; harmless twice and after update(). */
  release(): void;
};

/** What a POP3 session needs of the house. A rejected promise is an outage and is answered `[SYS/TEMP]` or `[SYS/PERM]`. */
export type Pop3Ports = Readonly<{
  login: (credentials: Credentials, client: Client) => Promise<Result<Identity, LoginRefusal>>;
  /** What a SCRAM exchange asks; answered in the same time and form for names that nobody has. */
  scram: (question: ScramQuestion, peer: Peer) => Promise<ScramFacts>;
  /** As of this second. */
  announced: () => Announced;
  /**
   * `lost` is called when the lease is taken over: the session is then cut without UPDATE. "login-delay": the last login was
   * too short a time ago (rule 2449-08).
   */
  openMaildrop: (
    identity: Identity,
    opening: Opening,
    lost: () => void,
  ) => Promise<Result<OpenMaildrop, "in-use" | "login-delay">>;
}>;
