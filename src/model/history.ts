import type { AccountId, MailboxId, Uid } from "./ids.ts";

/*
 * Proof of transfer: what became of each message. Entries of "sent" and "cut" are gathered and written in batches, so a
 * crash may lose the last second of them; all other kinds are written in the transaction that does what they tell.
 */

/** Who did it: one session of one device at one place. An administrator's act and a job have no peer. */
export type Actor = {
  /** The session's name in logs; "" where there is none. */
  readonly session: string;
  /** Device.name, or "" for the account's own password. */
  readonly device: string;
  /** The peer's address; "" where there is none. */
  readonly peer: string;
};

/** Nobody in particular: jobs, and administrators, whose acts are in the log by name. */
export const NO_ACTOR: Actor = { session: "", device: "", peer: "" };

/**
 * "sent": a RETR left whole, its checksum right; "cut": it did not leave whole; "removed": by a committed QUIT;
 * "expired": by age; "restored": brought back, under the new uid that `newUids` tells; "erased": gone for good.
 */
export type HistoryKind = "sent" | "cut" | "removed" | "expired" | "restored" | "erased";

/** One transfer, noted on its way and written later. */
export type Transfer = Actor & {
  readonly account: AccountId;
  readonly mailbox: MailboxId;
  readonly uid: Uid;
  readonly at: number;
  readonly kind: "sent" | "cut";
  /** Octets of the message that were handed to the connection (not dots that were stuffed). */
  readonly octets: number;
};

/** One entry as it is read: of one message, or of many that went the same way at once. */
export type HistoryEntry = Actor & {
  readonly id: number;
  readonly at: number;
  readonly kind: HistoryKind;
  /** Which messages; ascending. */
  readonly uids: readonly number[];
  /** How many messages the entry is of; `uids` may be cut where there are many. */
  readonly messages: number;
  /** The uids under which they came back, in the same order; empty but for "restored". */
  readonly newUids: readonly number[];
  /** Octets of a "sent" or "cut", of all its messages together; null for the others. */
  readonly octets: number | null;
};
