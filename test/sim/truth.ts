/** What is known from outside of one message in one maildrop. */
export type Truth = {
  readonly name: string;
  readonly content: string;
  /** When its last octet left its sender: it was nowhere before. */
  readonly sentAt: number;
  /** What the clock on the wall said around its delivery, at least. */
  receivedWall: number;
  /** Whether it has to be in a listing, must not be, or may be. */
  presence: "yes" | "no" | "arriving" | "leaving";
  /** From when on that is so: for sessions that asked to be opened later. */
  since: number;
  /** "arriving", "leaving": what was decided by the end of this life and no later. */
  doubtLife: number;
  /** Nobody can tell for which of two accounts of one address it was. */
  readonly loose: boolean;
  /** Retention may have been quicker than the answer to its sender. */
  mayExpire: boolean;
  /** The QUIT that may have removed it, with others: all or none. */
  group: Group | undefined;
  /** When the session was opened that removed it: who asked later must not see it. */
  removerOpenedAt: number;
  /** Whether undelete has it, should it be removed. */
  kept: "yes" | "perhaps" | "no";
  /** What the clock on the wall said when it was removed, at most. */
  removedWall: number;
  /** By which it is known; undefined: nobody has asked yet. */
  uidl: string | undefined;
  /** Its UIDL before it was perhaps removed and brought back: it may have that one still. */
  former: string | undefined;
  /** Its octets as they were first read. */
  octets: string | undefined;
};

/** Messages that one QUIT was to remove, of which nobody heard whether it did. */
export type Group = { readonly session: string };

/** One maildrop, from the making of its account to its end. */
export class Maildrop {
  readonly address: string;
  readonly incarnation: number;
  readonly messages = new Map<string, Truth>();
  /** "leaving": its removal was asked for, and nobody knows. */
  account: "there" | "gone" | "leaving" = "there";
  /** undefined: nobody knows. */
  enabled: boolean | undefined = true;
  /** Since when these two are so. */
  since: number;
  /** In which life its removal was asked for. */
  doubtLife = 0;
  /** Orders under way that ask back all that was removed, also what is removed meanwhile. */
  restores = 0;
  /** Clients that have sent a password and whose session may still be there. */
  visitors = 0;
  /** Until then it may be held by one that has gone without a word. */
  heldUntil = 0;

  constructor(address: string, incarnation: number, since: number) {
    this.address = address;
    this.incarnation = incarnation;
    this.since = since;
  }
}

/** What a client knows of its session when it begins. */
export type Opening = {
  readonly name: string;
  readonly device: string;
  readonly maildrop: Maildrop;
  /** When it sent its password, and when it had the answer. */
  readonly askedAt: number;
  readonly openedAt: number;
  readonly life: number;
  readonly messages: number;
};

/** A session of POP3 as its client sees it. */
export class Session {
  readonly opening: Opening;
  /** UIDLs and octets, in the order of the numbers. */
  names: readonly string[] | undefined;
  sizes: readonly number[] | undefined;
  /** What its QUIT is to remove, once that was sent. */
  quitting: { readonly group: Group; readonly truths: readonly Truth[]; readonly sentAt: number } | undefined;
  /** How many messages it listed when the story said so last. */
  lastTold = -1;
  lastProgress: number;
  /** An administrator has cut it, or another session may have taken over. */
  lawfullyLost = false;
  /** UIDLs that nobody has seen before, of messages that were not read yet. */
  readonly unknown = new Set<string>();
  readonly seen = new Set<Truth>();

  constructor(opening: Opening) {
    this.opening = opening;
    this.lastProgress = opening.askedAt;
  }
}
