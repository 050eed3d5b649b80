import type { Found } from "./ledger.ts";

/** When a client heard of it, as a length of the recording: what is recorded behind that came later. */
type Moment = number;

/** One QUIT: it removes all that it marked, or nothing. */
type Removal = { readonly names: readonly string[]; readonly asked: Moment; confirmed: Moment };

type Entry = {
  readonly digest: string;
  readonly sent: Moment;
  /** Of its 250, or of when a session saw it: nobody is shown what is not committed. */
  acknowledged: Moment;
  uidl?: string;
  removal?: Removal;
};

/** What is wrong with a maildrop after a power cut. */
export type Wrong = { readonly kind: "lost" | "back" | "changed" | "halved" | "other"; readonly text: string };

/** Keeps what was acknowledged and when, so that a maildrop can be held against any moment of the past. */
export class Timeline {
  readonly #now: () => Moment;
  readonly #entries = new Map<string, Entry>();
  readonly #uidls = new Map<string, string>();
  readonly #removals: Removal[] = [];
  readonly #deliveries = new Map<string, readonly string[]>();
  #accounts = Infinity;
  readonly counts = { sent: 0, acknowledged: 0, removed: 0 };

  /** `now`: the length of the recording. */
  constructor(now: () => Moment) {
    this.#now = now;
  }

  /** The accounts have been made. */
  opened(): void {
    this.#accounts = this.#now();
  }

  /** Whether the accounts must be there after a cut at that moment. */
  isOpenAt(cut: Moment): boolean {
    return this.#accounts <= cut;
  }

  sending(id: string, boxes: readonly string[], digest: string): void {
    const sent = this.#now();
    this.#deliveries.set(id, boxes);
    for (const box of boxes) this.#entries.set(key(box, id), { digest, sent, acknowledged: Infinity });
    this.counts.sent += boxes.length;
  }

  acknowledged(id: string, box: string): void {
    const entry = this.#entry(key(box, id));
    entry.acknowledged = Math.min(entry.acknowledged, this.#now());
    this.counts.acknowledged += 1;
  }

  seen(box: string, { id, digest, uidl }: Found): void {
    const name = key(box, id);
    const entry = this.#entry(name);
    if (entry.digest !== digest || (entry.uidl ?? uidl) !== uidl)
      throw new Error(`${name} is another, without any cut`);
    entry.uidl = uidl;
    entry.acknowledged = Math.min(entry.acknowledged, this.#now());
    this.#uidls.set(key(box, uidl), id);
  }

  idOf(box: string, uidl: string): string | undefined {
    return this.#uidls.get(key(box, uidl));
  }

  quitting(box: string, ids: readonly string[]): void {
    if (ids.length === 0) return;
    const removal: Removal = { names: ids.map((id) => key(box, id)), asked: this.#now(), confirmed: Infinity };
    for (const name of removal.names) this.#entry(name).removal = removal;
    this.#removals.push(removal);
  }

  removed(box: string, ids: readonly string[]): void {
    for (const id of ids) {
      const { removal } = this.#entry(key(box, id));
      if (removal !== undefined) removal.confirmed = Math.min(removal.confirmed, this.#now());
    }
    this.counts.removed += ids.length;
  }

  /** What is wrong with these maildrops after a cut at that moment. */
  judge(cut: Moment, found: ReadonlyMap<string, readonly Found[]>): Wrong[] {
    const wrong: Wrong[] = [];
    const present = new Set<string>();
    for (const [box, messages] of found)
      for (const message of messages) {
        const name = key(box, message.id);
        if (present.has(name)) wrong.push({ kind: "other", text: `${name} is there twice` });
        present.add(name);
        wrong.push(...this.#judgeOne(name, message, cut));
      }
    for (const [name, { acknowledged, removal }] of this.#entries) {
      const isWanted = acknowledged <= cut && (removal === undefined || removal.asked > cut);
      if (isWanted && !present.has(name)) wrong.push({ kind: "lost", text: `${name} was acknowledged and is missing` });
    }
    return [...wrong, ...this.#judgeSteps(cut, present)];
  }

  #judgeOne(name: string, { digest, uidl }: Found, cut: Moment): Wrong[] {
    const entry = this.#entries.get(name);
    if (entry === undefined || entry.sent > cut) return [{ kind: "other", text: `${name} was not sent yet` }];
    const wrong: Wrong[] = [];
    if (entry.digest !== digest) wrong.push({ kind: "lost", text: `${name} has other octets than were sent` });
    if (entry.uidl !== undefined && entry.uidl !== uidl)
      wrong.push({ kind: "changed", text: `${name}: UIDL ${entry.uidl} became ${uidl}` });
    if (entry.removal !== undefined && entry.removal.confirmed <= cut)
      wrong.push({ kind: "back", text: `${name} is back after its removal was confirmed` });
    return wrong;
  }

  /** A QUIT removes all or nothing, a message comes to all of its recipients or to none. */
  #judgeSteps(cut: Moment, present: ReadonlySet<string>): Wrong[] {
    const wrong: Wrong[] = [];
    for (const { names, asked } of this.#removals) {
      const left = names.filter((name) => present.has(name)).length;
      if (asked <= cut && left > 0 && left < names.length)
        wrong.push({
          kind: "halved",
          text: `a QUIT removed ${names.length - left} of ${names.length}: ${names.join()}`,
        });
    }
    for (const [id, boxes] of this.#deliveries) {
      const names = boxes.map((box) => key(box, id));
      if (names.some((name) => (this.#entry(name).removal?.asked ?? Infinity) <= cut)) continue;
      const came = names.filter((name) => present.has(name)).length;
      if (came > 0 && came < names.length)
        wrong.push({ kind: "halved", text: `${id} came to ${came} of ${boxes.join()}` });
    }
    return wrong;
  }

  #entry(name: string): Entry {
    const entry = this.#entries.get(name);
    if (entry === undefined) throw new Error(`${name} was never sent`);
    return entry;
  }
}

function key(box: string, name: string): string {
  return `${box} ${name}`;
}
