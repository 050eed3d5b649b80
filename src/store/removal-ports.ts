import type { Uid } from "../model/ids.ts";
import type { PackedUids } from "./uid-packer.ts";

/** What a look at rows found. */
export type Inspected = {
  readonly damaged: readonly Uid[];
  /** Of the others, uids ascending. */
  readonly uids: Uint32Array;
  readonly octets: Uint32Array;
  readonly octetsDowngraded: Uint32Array;
  /** Up to where it came; undefined: to the end. */
  readonly last: Uid | undefined;
};

/**
 * What many messages that are to be removed are together, as who removes them has seen: every one of them was in a listing of
 * the mailbox, and its row was looked at since.
 */
export type Seen = {
  readonly packed: PackedUids;
  readonly messages: number;
  readonly octets: number;
  readonly octetsDowngraded: number;
  /** `goneOf` the mailbox as it was for that listing: it is believed only where that has not changed. */
  readonly gone: number;
};

/**
 * How many uids of a mailbox have no message (any more). What comes takes a uid and is a message, so it stays the same until
 * one is removed: while it does, every message that was seen is still there.
 */
export function goneOf({ highestUid, messages }: { readonly highestUid: number; readonly messages: number }): number {
  return highestUid - messages;
}

/** What became of messages that were to be removed. `damaged`: they stay, for their rows are not as they were written. */
export type Expunged = { readonly removed: number; readonly damaged?: readonly Uid[] };
