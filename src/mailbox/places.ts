import type { MailboxId, Uid } from "../model/ids.ts";
import type { Mail, StoredMessage } from "../store/ports.ts";

// So many rows a session may hold; a row is some 300 octets.
const MOST_AHEAD = 16;

/**
 * Where the bodies of one maildrop lie. Clients fetch in order, so once two have been asked for the rows behind them are read
 * along: one statement for many messages. What is known may be stale, since reclaim moves bodies: then the old place is
 * gone, never another message's (segments are not written twice), and `find` asks the store again.
 */
export class Places {
  readonly #mail: Pick<Mail, "locateFrom">;
  readonly #mailbox: MailboxId;
  #rows: readonly StoredMessage[] = [];
  // The row that was asked for last.
  #at = 0;
  #ahead = 1;

  constructor(mail: Pick<Mail, "locateFrom">, mailbox: MailboxId) {
    this.#mail = mail;
    this.#mailbox = mailbox;
  }

  /** A message and where it lies, if that was read already. */
  known(uid: Uid): StoredMessage | undefined {
    const rows = this.#rows;
    let at = this.#at;
    while (at < rows.length - 1 && (rows[at]?.uid ?? 0) < uid) at += 1;
    const row = rows[at];
    if (row?.uid !== uid) return undefined;
    this.#at = at;
    return row;
  }

  /** Asks for a message and where it lies; undefined: there is none (any more). */
  async find(uid: Uid): Promise<StoredMessage | undefined> {
    const last = this.#rows.at(-1)?.uid ?? Number.POSITIVE_INFINITY;
    // Who went through all that was read ahead goes on.
    const inOrder = this.#at === this.#rows.length - 1 && uid > last;
    this.#ahead = inOrder ? Math.min(this.#ahead * 4, MOST_AHEAD) : 1;
    this.#rows = await this.#mail.locateFrom(this.#mailbox, uid, this.#ahead);
    this.#at = 0;
    return this.#rows[0];
  }
}
