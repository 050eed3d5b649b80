import type { Group, Maildrop, Session, Truth } from "./truth.ts";

/** Notes a check, and throws when it does not hold. */
export type Check = (promise: string, holds: boolean, what: string) => void;

/** Compares what a session lists with what is known. */
export class ListingJudge {
  readonly #check: Check;
  readonly #disksFail: boolean;
  /** Every UIDL that a message of an address ever had. */
  readonly #names = new Map<string, Map<string, Truth>>();

  constructor(check: Check, disksFail: boolean) {
    this.#check = check;
    this.#disksFail = disksFail;
  }

  /** The UIDLs of all messages of a session. */
  judge(session: Session, names: readonly string[]): void {
    const { maildrop } = session.opening;
    const known = this.namesOf(maildrop);
    this.#allOrNone(session, names);
    for (const name of names) {
      const truth = known.get(name);
      if (truth === undefined) session.unknown.add(name);
      else this.#show(session, truth, name);
    }
    this.#count(session);
    for (const truth of maildrop.messages.values())
      if (truth.uidl !== undefined && !session.seen.has(truth)) this.#miss(session, truth);
    this.#settle(session);
  }

  /** A message was read that is listed under this UIDL. */
  name(session: Session, truth: Truth, uidl: string): void {
    const known = this.namesOf(session.opening.maildrop);
    const owner = known.get(uidl);
    const free = owner === undefined || owner === truth;
    this.#check("P3", free, `the UIDL ${uidl} is ${truth.name}, and was ${owner?.name}`);
    if (owner === truth) return;
    this.#check("P3", truth.uidl === undefined, `${truth.name} was ${truth.uidl}, and is ${uidl}`);
    known.set(uidl, truth);
    truth.uidl = uidl;
    session.unknown.delete(uidl);
    this.#show(session, truth, uidl);
    this.#settle(session);
  }

  namesOf({ address }: Maildrop): Map<string, Truth> {
    let names = this.#names.get(address);
    if (names === undefined) this.#names.set(address, (names = new Map()));
    return names;
  }

  #show(session: Session, truth: Truth, uidl: string): void {
    const { maildrop, askedAt, openedAt, life, name } = session.opening;
    session.seen.add(truth);
    const ours = maildrop.messages.get(truth.name) === truth;
    this.#check("P3", ours, `the UIDL ${uidl} was of another account's message`);
    const same = truth.uidl === uidl || (truth.uidl === undefined && truth.former === uidl);
    this.#check("P3", same, `${truth.name} was ${truth.uidl}, and is ${uidl} in ${name}`);
    truth.uidl = uidl;
    this.#check("P3", truth.sentAt <= openedAt, `${truth.name} came after ${name} was opened, and shows in it`);
    if (truth.presence === "no") {
      const dead = truth.since <= askedAt || truth.removerOpenedAt < askedAt;
      return this.#check("P2", !dead, `${truth.name} was removed, and ${name} has it`);
    }
    if (truth.presence === "leaving" && !this.#isDecided(session, truth)) return;
    truth.presence = "yes";
    truth.group = undefined;
    truth.since = life > truth.doubtLife ? truth.since : Math.max(truth.since, openedAt);
  }

  #miss(session: Session, truth: Truth): void {
    const { maildrop, askedAt, openedAt, life, name } = session.opening;
    if (truth.presence === "yes") {
      const lost = truth.since <= askedAt;
      this.#check("P1", !lost, `${truth.name} is not in ${maildrop.address} (${name}), and nobody removed it`);
    } else if (truth.presence === "leaving" || (truth.presence === "arriving" && life > truth.doubtLife)) {
      // What was asked for after the session was opened is not seen by it.
      if (truth.presence === "leaving" && truth.since > askedAt) return;
      truth.presence = "no";
      truth.since = openedAt;
    }
  }

  // An order that is under way, or whose commit is in doubt, is decided by the next start. A QUIT holds its maildrop until
  // then.
  #isDecided({ opening }: Session, truth: Truth): boolean {
    if (opening.life > truth.doubtLife) return true;
    return truth.group !== undefined && !this.#disksFail && truth.since <= opening.askedAt;
  }

  /** Messages that nobody has a UIDL of: those that have to be there are not more than the UIDLs that nobody knows. */
  #count({ opening, unknown }: Session): void {
    const { maildrop, askedAt, openedAt, name } = opening;
    const unnamed = [...maildrop.messages.values()].filter((truth) => truth.uidl === undefined);
    const sure = unnamed.filter((truth) => truth.presence === "yes" && truth.since <= askedAt);
    const possible = unnamed.filter((truth) => truth.presence !== "no" && truth.sentAt <= openedAt);
    const names = sure.map((truth) => truth.name).join(", ");
    const { size } = unknown;
    this.#check(
      "P1",
      sure.length <= size,
      `${name} has ${size} new messages in ${maildrop.address} where ${names} have to be`,
    );
    this.#check(
      "P1",
      size <= possible.length,
      `${name} has ${size} new messages in ${maildrop.address} where ${possible.length} may be`,
    );
  }

  /** All of a listing is known: what is not in it is not there. */
  #settle(session: Session): void {
    if (session.unknown.size > 0) return;
    for (const truth of session.opening.maildrop.messages.values())
      if (!session.seen.has(truth)) this.#miss(session, truth);
  }

  #allOrNone(session: Session, names: readonly string[]): void {
    const { maildrop, askedAt } = session.opening;
    const there = new Map<Group, Truth>();
    const gone = new Map<Group, Truth>();
    for (const truth of maildrop.messages.values()) {
      const { group, uidl, since } = truth;
      if (group === undefined || uidl === undefined || since > askedAt) continue;
      (names.includes(uidl) ? there : gone).set(group, truth);
    }
    for (const [group, truth] of gone) {
      const other = there.get(group);
      this.#check(
        "P2",
        other === undefined,
        `the QUIT of ${group.session} removed ${truth.name} and not ${other?.name}`,
      );
    }
  }
}
