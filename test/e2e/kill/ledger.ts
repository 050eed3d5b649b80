/** What became of one message in one maildrop, as far as a client was told. */
type Entry = {
  readonly digest: string;
  acknowledged: boolean;
  /** A session whose QUIT had no answer may or may not have removed it. */
  removal: "none" | "confirmed" | Uncertain;
  uidl?: string;
};

/** One QUIT without an answer: it removed all that it marked, or nothing. */
type Uncertain = { readonly keys: readonly string[] };

export type Found = { readonly id: string; readonly digest: string; readonly uidl: string };

/** Keeps, outside of the server, what was acknowledged, and holds a maildrop against it. */
export class Ledger {
  readonly #entries = new Map<string, Entry>();
  /** Every unique id ever seen, with the message that it named: none may ever name another. */
  readonly #uidls = new Map<string, string>();
  readonly problems: string[] = [];
  readonly counts = { sent: 0, acknowledged: 0, removed: 0, uncertain: 0, checked: 0 };

  /** Before the first octet of the message leaves. */
  sending(id: string, boxes: readonly string[], digest: string): void {
    for (const box of boxes) {
      this.#entries.set(key(box, id), { digest, acknowledged: false, removal: "none" });
      this.counts.sent += 1;
    }
  }

  /** After its 250. */
  acknowledged(id: string, box: string): void {
    this.#entry(key(box, id)).acknowledged = true;
    this.counts.acknowledged += 1;
  }

  /** What a session saw: the octets as sent, under the unique id it had before. */
  seen(box: string, { id, digest, uidl }: Found): void {
    const name = key(box, id);
    const entry = this.#entries.get(name);
    if (entry === undefined) return this.#problem(`${name} was never sent`);
    if (entry.digest !== digest) this.#problem(`${name} has other octets than were sent`);
    if (entry.uidl !== undefined && entry.uidl !== uidl) this.#problem(`${name}: UIDL ${entry.uidl} became ${uidl}`);
    entry.uidl = uidl;
    const before = this.#uidls.get(`${box} ${uidl}`);
    if (before !== undefined && before !== name) this.#problem(`${box}: UIDL ${uidl} was ${before} and is ${name}`);
    this.#uidls.set(`${box} ${uidl}`, name);
    if (entry.removal === "confirmed") this.#problem(`${name} is back after its removal was confirmed`);
  }

  /** The message that a unique id named when it was last seen. */
  idOf(box: string, uidl: string): string | undefined {
    return this.#uidls.get(`${box} ${uidl}`)?.slice(box.length + 1);
  }

  /** Before QUIT leaves; the answer settles it, or the next check does. */
  quitting(box: string, ids: readonly string[]): void {
    const uncertain = { keys: ids.map((id) => key(box, id)) };
    for (const name of uncertain.keys) this.#entry(name).removal = uncertain;
    this.counts.uncertain += ids.length;
  }

  /** After +OK to QUIT. */
  removed(box: string, ids: readonly string[]): void {
    for (const id of ids) this.#entry(key(box, id)).removal = "confirmed";
    this.counts.uncertain -= ids.length;
    this.counts.removed += ids.length;
  }

  /** Holds a whole maildrop against what was acknowledged, and takes what is there as settled from now on. */
  check(box: string, found: readonly Found[]): void {
    const present = new Set<string>();
    for (const message of found) {
      const name = key(box, message.id);
      if (present.has(name)) this.#problem(`${name} is there twice`);
      present.add(name);
      this.seen(box, message);
      this.counts.checked += 1;
    }
    for (const [name, entry] of this.#entries) {
      if (!name.startsWith(`${box} `)) continue;
      if (typeof entry.removal === "object") this.#settleQuit(entry.removal, present);
      this.#settle(name, entry, present.has(name));
    }
  }

  #settleQuit({ keys }: Uncertain, present: ReadonlySet<string>): void {
    const left = keys.filter((name) => present.has(name));
    if (left.length > 0 && left.length < keys.length) {
      this.#problem(`a QUIT removed ${keys.length - left.length} of ${keys.length}: ${keys.join(", ")}`);
    }
    for (const name of keys) this.#entry(name).removal = present.has(name) ? "none" : "confirmed";
  }

  #settle(name: string, entry: Entry, isPresent: boolean): void {
    if (isPresent) entry.acknowledged = true;
    else if (entry.acknowledged && entry.removal === "none") this.#problem(`${name} got 250 and is missing`);
    // Either never stored or gone for good: in both cases it must not appear from now on.
    if (!isPresent) entry.removal = "confirmed";
  }

  #entry(name: string): Entry {
    const entry = this.#entries.get(name);
    if (entry === undefined) throw new Error(`${name} is not in the ledger`);
    return entry;
  }

  #problem(text: string): void {
    this.problems.push(text);
  }
}

function key(box: string, id: string): string {
  return `${box} ${id}`;
}
