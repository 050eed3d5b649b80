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

/** What is wrong: lost, back after its removal, under another unique id, a step done in part, or anything else. */
type Wrong = "lost" | "back" | "changed" | "halved" | "other";

export type Found = { readonly id: string; readonly digest: string; readonly uidl: string };

/** Keeps, outside of the server, what was acknowledged, and holds a maildrop against it. */
export class Ledger {
  readonly #entries = new Map<string, Entry>();
  /** Every unique id ever seen, with the message that it named: none may ever name another. */
  readonly #uidls = new Map<string, string>();
  /** Messages of which nobody knows yet whether they came to all of their maildrops or to none. */
  readonly #unsettled = new Map<string, readonly string[]>();
  readonly problems: string[] = [];
  readonly wrong: Record<Wrong, number> = { lost: 0, back: 0, changed: 0, halved: 0, other: 0 };
  readonly counts = { sent: 0, acknowledged: 0, removed: 0, uncertain: 0, checked: 0 };

  /** Before the first octet of the message leaves. */
  sending(id: string, boxes: readonly string[], digest: string): void {
    if (boxes.length > 1) this.#unsettled.set(id, boxes);
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
    if (entry === undefined) return this.#problem("other", `${name} was never sent`);
    if (entry.digest !== digest) this.#problem("lost", `${name} has other octets than were sent`);
    if (entry.uidl !== undefined && entry.uidl !== uidl)
      this.#problem("changed", `${name}: UIDL ${entry.uidl} became ${uidl}`);
    entry.uidl = uidl;
    const before = this.#uidls.get(`${box} ${uidl}`);
    if (before !== undefined && before !== name)
      this.#problem("changed", `${box}: UIDL ${uidl} was ${before} and is ${name}`);
    this.#uidls.set(`${box} ${uidl}`, name);
    if (entry.removal === "confirmed") this.#problem("back", `${name} is back after its removal was confirmed`);
    // Nobody is shown what is not committed.
    entry.acknowledged = true;
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

  /** Holds a whole maildrop of a store that waits for its restart against the ledger: what is in doubt stays so. */
  look(box: string, found: readonly Found[]): void {
    const present = new Set(found.map(({ id }) => key(box, id)));
    for (const message of found) this.seen(box, message);
    for (const [name, { acknowledged, removal }] of this.#entries) {
      if (!name.startsWith(`${box} `) || present.has(name)) continue;
      if (acknowledged && removal !== "confirmed") this.#problem("lost", `${name} got 250 and is not shown`);
    }
  }

  /** Holds a whole maildrop against what was acknowledged, and takes what is there as settled from now on. */
  check(box: string, found: readonly Found[]): void {
    const present = new Set<string>();
    for (const message of found) {
      const name = key(box, message.id);
      if (present.has(name)) this.#problem("other", `${name} is there twice`);
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

  /** After a check of all maildrops: a message came to all of its recipients in one step, or to none. */
  settleDeliveries(): void {
    for (const [id, boxes] of this.#unsettled) {
      const came = boxes.filter((box) => this.#entry(key(box, id)).acknowledged);
      if (came.length > 0 && came.length < boxes.length)
        this.#problem("halved", `${id} came to ${came.join()} of ${boxes.join()}`);
    }
    this.#unsettled.clear();
  }

  #settleQuit({ keys }: Uncertain, present: ReadonlySet<string>): void {
    const left = keys.filter((name) => present.has(name));
    if (left.length > 0 && left.length < keys.length) {
      this.#problem("halved", `a QUIT removed ${keys.length - left.length} of ${keys.length}: ${keys.join(", ")}`);
    }
    for (const name of keys) this.#entry(name).removal = present.has(name) ? "none" : "confirmed";
  }

  #settle(name: string, entry: Entry, isPresent: boolean): void {
    if (!isPresent && entry.acknowledged && entry.removal === "none")
      this.#problem("lost", `${name} got 250 and is missing`);
    // Either never stored or gone for good: in both cases it must not appear from now on.
    if (!isPresent) entry.removal = "confirmed";
  }

  #entry(name: string): Entry {
    const entry = this.#entries.get(name);
    if (entry === undefined) throw new Error(`${name} is not in the ledger`);
    return entry;
  }

  #problem(wrong: Wrong, text: string): void {
    this.wrong[wrong] += 1;
    this.problems.push(text);
  }
}

function key(box: string, id: string): string {
  return `${box} ${id}`;
}
