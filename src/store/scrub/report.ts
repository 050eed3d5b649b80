import type { MailboxName } from "../../model/account.ts";

/** What a scrub can find wrong. */
export type FindingKind =
  /** The database's own check complains. */
  | "database"
  /** A message's row is not as it was written. */
  | "row"
  /** A message whose body has no row. */
  | "no-body"
  /** The numbers of a body's row, or what it says of its octets, are not as they were written. */
  | "body-row"
  /** Its octets are not there, not what was delivered, or the disk does not give them. */
  | "missing"
  | "damaged"
  | "unreadable"
  /** What a mailbox counts is not what it holds. */
  | "counters"
  /** Messages of a mailbox that is not there. */
  | "no-mailbox"
  /** A large removal that waits, and cannot be carried out. */
  | "removal"
  /** A body is counted other than it is shown. */
  | "references"
  /** A segment counts other octets than its bodies have, or has no row. */
  | "segment"
  /** A file that no row covers. */
  | "orphan";

/** One thing that is wrong; of a message: whose, and which. */
export type Finding = {
  readonly kind: FindingKind;
  readonly address?: string;
  readonly mailbox?: MailboxName;
  readonly uidl?: string;
  readonly octets?: number;
  /** Ms since 1970. */
  readonly received?: number;
  /** In English: which segment, body or page. */
  readonly detail: string;
  /** Whether it can be mended, and whether it was. */
  readonly mendable: boolean;
  readonly mended: boolean;
};

export const STAGES = ["database", "maildrops", "bodies", "counters", "figures", "files", "end"] as const;
export type Stage = (typeof STAGES)[number];

/** How far a scrub is, and what it has found; kept in the store, so that one that is interrupted goes on. */
export type ScrubState = {
  readonly started: number;
  /** When this was noted. */
  readonly at: number;
  readonly stage: Stage;
  /** All of the stage's things up to this id are done. */
  readonly position: number;
  readonly messages: number;
  readonly bodies: number;
  readonly octets: number;
  readonly found: number;
  readonly mended: number;
  /** The first of them. */
  readonly findings: readonly Finding[];
};

/** So many findings are kept and told; the log has all. */
export const MOST_FINDINGS = 1000;

/** A scrub that has not begun. */
export function newScrub(now: number): ScrubState {
  const none = { messages: 0, bodies: 0, octets: 0, found: 0, mended: 0, findings: [] };
  return { started: now, at: now, stage: "database", position: 0, ...none };
}

/** What a scrub is asked to do. */
export type ScrubRequest = {
  readonly repair: boolean;
  /** What it reads in a second at most. */
  readonly octetsPerSecond: number;
  /** Of one account's mailboxes only; nothing of it is kept. */
  readonly mailboxes?: readonly number[];
};
