import { BrokenPromise } from "./broken-promise.ts";
import { ListingJudge } from "./listing-judge.ts";
import { damageOf, nameIn } from "./mail-text.ts";
import { Removals } from "./removals.ts";
import type { Surroundings } from "./surroundings.ts";
import { type Group, Maildrop, type Opening, Session, type Truth } from "./truth.ts";

// A reply that was on its way while another session took over.
const GRACE_MS = 3000;
// Longer than the server takes to notice that a client has gone, also while an UPDATE waits for a slow disk.
const UNNOTICED_MS = 700_000;
// The lease hears of a client's progress once a second, and the client of its own some time later.
const PROGRESS_MS = 2000;

/** Knows only what clients were told, and finds what is not as it was promised. */
export class Oracle {
  checks = 0;
  acknowledged = 0;
  removed = 0;
  /** By administrators and jobs too. */
  readonly removals: Removals;
  readonly #world: Surroundings;
  readonly #maildrops = new Map<string, Maildrop>();
  readonly #sessions = new Set<Session>();
  #orders = 0;
  #orderedAt = Number.NEGATIVE_INFINITY;
  readonly #judge: ListingJudge;

  constructor(world: Surroundings) {
    this.#world = world;
    this.removals = new Removals(world, () => this.#maildrops.values());
    this.#judge = new ListingJudge((...given) => this.#check(...given), world.disksFail);
  }

  // ── Accounts ──

  /** The account was made, also again. */
  made(address: string): void {
    const incarnation = (this.#maildrops.get(address)?.incarnation ?? 0) + 1;
    this.#maildrops.set(address, new Maildrop(address, incarnation, this.#world.now()));
  }

  maildrop(address: string): Maildrop {
    const found = this.#maildrops.get(address);
    if (found === undefined) throw new Error(`nobody made ${address}`);
    return found;
  }

  /** An administrator asked for its removal; until the answer nobody knows. */
  removing(address: string): void {
    this.cutting(address);
    const maildrop = this.maildrop(address);
    maildrop.account = "leaving";
    maildrop.doubtLife = this.#world.life();
  }

  /** The answer, or what somebody found who looked in a later life. */
  accountIs(address: string, there: boolean): void {
    const maildrop = this.maildrop(address);
    this.#check("P2", there || maildrop.account !== "there", `the account ${address} is gone, and nobody removed it`);
    maildrop.account = there ? "there" : "gone";
    maildrop.since = this.#world.now();
  }

  /** An administrator asked that it may log in, or not; `done`: that was answered. */
  enabling(address: string, enabled: boolean, done: boolean): void {
    const maildrop = this.maildrop(address);
    if (!enabled) this.cutting(address);
    maildrop.enabled = done ? enabled : undefined;
    maildrop.since = this.#world.now();
  }

  /** Whoever is in session is cut by an administrator. */
  cutting(address: string): void {
    for (const session of this.#of(this.maildrop(address))) session.lawfullyLost = true;
  }

  // ── Mail that comes ──

  /** The last octet of a content has left; nobody knows yet what became of it. `loose`: see Truth. */
  sent(
    name: string,
    content: string,
    maildrops: readonly { readonly maildrop: Maildrop; readonly loose: boolean }[],
  ): void {
    for (const { maildrop, loose } of maildrops) {
      maildrop.messages.set(name, {
        name,
        content,
        sentAt: this.#world.now(),
        receivedWall: this.#world.wall(),
        presence: "arriving",
        since: 0,
        doubtLife: loose ? Number.POSITIVE_INFINITY : this.#world.life(),
        loose,
        mayExpire: false,
        group: undefined,
        removerOpenedAt: Number.POSITIVE_INFINITY,
        kept: "no",
        removedWall: 0,
        uidl: undefined,
        former: undefined,
        octets: undefined,
      });
    }
  }

  /** 250 after the content. */
  acknowledge(name: string, maildrop: Maildrop): void {
    this.acknowledged += 1;
    const truth = maildrop.messages.get(name);
    this.#goesOn(truth?.sentAt, name);
    if (truth === undefined || truth.loose || truth.presence !== "arriving") return;
    truth.receivedWall = Math.min(truth.receivedWall, this.#world.wall());
    truth.presence = truth.mayExpire ? "leaving" : "yes";
    truth.since = this.#world.now();
  }

  /** 4xx or 5xx after the content: nothing of it is there, unless a commit was in doubt. */
  refuse(name: string, maildrop: Maildrop): void {
    const truth = maildrop.messages.get(name);
    if (this.#world.disksFail || truth === undefined || truth.loose) return;
    this.#check("P1", truth.presence === "arriving", `${name} was refused, and is in ${maildrop.address}`);
    truth.presence = "no";
    truth.since = this.#world.now();
  }

  // ── Sessions ──

  /** +OK after the password. undefined: the account was removed or made meanwhile, and nobody can tell which it is. */
  opened(given: Omit<Opening, "openedAt">): Session | undefined {
    const { maildrop, askedAt, life } = given;
    if (this.maildrop(maildrop.address) !== maildrop) return undefined;
    const gone = maildrop.account === "gone" && maildrop.since < askedAt;
    this.#check("P2", !gone, `${maildrop.address} was removed, and lets in`);
    if (maildrop.account === "gone") return undefined;
    if (maildrop.account === "leaving") {
      if (life <= maildrop.doubtLife) return undefined;
      maildrop.account = "there";
    }
    const session = new Session({ ...given, openedAt: this.#world.now() });
    for (const other of this.#of(maildrop)) {
      const still = session.opening.openedAt - other.lastProgress + PROGRESS_MS;
      if (other.opening.device === given.device && still >= this.#world.takeoverSeconds * 1000)
        other.lawfullyLost = true;
    }
    this.#sessions.add(session);
    return session;
  }

  /** [AUTH]: there is no such account, or it may not log in. */
  loginRefused(maildrop: Maildrop, askedAt: number): void {
    const { address, account, enabled, since } = maildrop;
    const lost = this.maildrop(address) === maildrop && account === "there" && enabled === true && since < askedAt;
    this.#check("P2", !lost, `the account ${address} is gone or disabled, and nobody asked for that`);
  }

  /** A client has sent its password. */
  entering(maildrop: Maildrop): void {
    // eslint-disable-next-line no-param-reassign -- what is known of it
    maildrop.visitors += 1;
  }

  /** It is gone; `said`: the server has said so, and needs no time to notice. */
  gone(maildrop: Maildrop, said: boolean): void {
    // eslint-disable-next-line no-param-reassign -- what is known of it
    maildrop.visitors -= 1;
    // eslint-disable-next-line no-param-reassign -- what is known of it
    maildrop.heldUntil = Math.max(maildrop.heldUntil, this.#world.now() + (said ? 0 : UNNOTICED_MS));
  }

  /** An order of an administrator or a job, which may take maildrops, begins; gives what to call when it is over. */
  ordering(): () => void {
    this.#orders += 1;
    return () => {
      this.#orders -= 1;
      this.#orderedAt = this.#world.now();
    };
  }

  /** [IN-USE], to a client that asked at a time. */
  inUse(maildrop: Maildrop, askedAt: number): void {
    const { address, visitors, heldUntil } = maildrop;
    const orders = this.#orders > 0 || this.#orderedAt + UNNOTICED_MS >= askedAt;
    this.#check(
      "P4",
      orders || visitors > 1 || heldUntil >= askedAt,
      `${address} is said to be in use, and nobody has it`,
    );
  }

  /** A positive answer to a command that was sent at a time. */
  answered(session: Session, sentAt: number): void {
    const { maildrop, openedAt, name } = session.opening;
    for (const { opening } of this.#of(maildrop)) {
      // Only of these two it is sure that the other one was opened behind it.
      if (opening.askedAt < openedAt || opening.openedAt >= sentAt) continue;
      const lawful = session.lawfullyLost && this.#world.now() - opening.openedAt < GRACE_MS;
      this.#check("P4", lawful, `${name} is answered though ${opening.name} has ${maildrop.address} open`);
    }
    // eslint-disable-next-line no-param-reassign -- what is known of it
    session.lastProgress = Math.max(session.lastProgress, sentAt);
  }

  /** UIDL of all messages. */
  named(session: Session, names: readonly string[]): void {
    const { opening } = session;
    if (session.names !== undefined) return this.#same(session, session.names, names);
    // eslint-disable-next-line no-param-reassign -- what is known of it
    session.names = names;
    this.#check("P3", new Set(names).size === names.length, `a UIDL is there twice in ${opening.maildrop.address}`);
    const told = `${opening.name} was told ${opening.messages} messages and lists ${names.length}`;
    this.#check("P3", names.length === opening.messages, told);
    this.#judge.judge(session, names);
  }

  /** LIST of all messages. */
  sized(session: Session, sizes: readonly number[]): void {
    if (session.sizes !== undefined) return this.#same(session, session.sizes, sizes);
    // eslint-disable-next-line no-param-reassign -- what is known of it
    session.sizes = sizes;
    const { name, messages } = session.opening;
    this.#check("P3", sizes.length === messages, `${name} was told ${messages} messages and lists ${sizes.length}`);
  }

  /** A whole message, by RETR; without its stuffing. */
  read(session: Session, number: number, message: string): void {
    const { maildrop, name: reader } = session.opening;
    const size = session.sizes?.[number - 1];
    const told = size === undefined || size === message.length;
    this.#check("P3", told, `message ${number} of ${reader} has ${message.length} octets, not ${size}`);
    const name = nameIn(message) ?? "one without a name";
    const truth = maildrop.messages.get(name);
    this.#check("P1", truth !== undefined, `${maildrop.address} has a message that nobody sent to it: ${name}`);
    if (truth === undefined) return;
    const damage = damageOf(message, truth.content);
    this.#check("P1", damage === undefined, `${name}: ${damage}`);
    this.#check("P3", truth.octets === undefined || truth.octets === message, `${name} reads otherwise than before`);
    truth.octets = message;
    const uidl = session.names?.[number - 1];
    if (uidl !== undefined) this.#judge.name(session, truth, uidl);
  }

  /** -ERR to UIDL or LIST. */
  unlisted({ opening }: Session, answer: string): void {
    // A disk that fails now and then damages nothing.
    const lawful = this.#world.readsFail() && !answer.includes("[SYS/PERM]");
    this.#check("P1", lawful, `${opening.name} cannot list ${opening.maildrop.address}: ${answer}`);
  }

  /** -ERR to RETR of a message in the listing. */
  unread(session: Session, number: number, answer: string): void {
    this.#check(
      "P8",
      this.#world.readsFail(),
      `message ${number} of ${session.opening.name} cannot be read: ${answer}`,
    );
  }

  /** QUIT has left; these are marked, each of which was read or named before. */
  quitting(session: Session, marked: readonly number[]): void {
    const group: Group = { session: session.opening.name };
    // eslint-disable-next-line no-param-reassign -- what is known of it
    session.quitting = { group, truths: this.#marked(session, marked), sentAt: this.#world.now() };
    for (const truth of session.quitting.truths) {
      if (truth.presence !== "yes") continue;
      truth.group = group;
      this.removals.leave(truth, session.opening.life, session.opening.maildrop);
    }
  }

  /** QUIT was answered +OK. */
  updated(session: Session): void {
    const { maildrop, openedAt, name } = session.opening;
    const { truths, sentAt } = session.quitting ?? { truths: [], sentAt: 0 };
    this.ended(session);
    if (truths.length === 0) return;
    this.#goesOn(sentAt, `the QUIT of ${name}`);
    for (const other of this.#of(maildrop)) {
      if (other.opening.askedAt < openedAt) continue;
      const { name: second, openedAt: from } = other.opening;
      this.#check("P4", from >= sentAt, `${name} removed messages while ${second} had ${maildrop.address}`);
      const seen = truths.find((truth) => other.seen.has(truth));
      this.#check("P4", seen === undefined, `${second} lists ${seen?.name}, which ${name} had removed before`);
    }
    for (const truth of truths) {
      // Asked back already.
      if (truth.presence === "arriving") continue;
      if (truth.presence !== "no" || truth.group !== undefined) this.removed += 1;
      truth.presence = "no";
      truth.since = this.#world.now();
      truth.group = undefined;
      truth.removerOpenedAt = openedAt;
      this.removals.removed(truth);
    }
  }

  /** QUIT was answered -ERR, or not at all. "lost": taken over, nothing was removed. */
  notUpdated(session: Session, how: "refused" | "lost" | "unanswered"): void {
    const { truths, group } = session.quitting ?? { truths: [], group: undefined };
    this.ended(session);
    if (how === "unanswered" || (how === "refused" && this.#world.disksFail)) return;
    for (const truth of truths) {
      if (truth.group === undefined || truth.group !== group) continue;
      const { name } = session.opening;
      this.#check("P2", truth.presence !== "no", `the QUIT of ${name} was refused, and ${truth.name} is gone`);
      truth.presence = "yes";
      truth.group = undefined;
    }
  }

  /** The session is over; without a QUIT nothing was removed. */
  ended(session: Session): void {
    this.#sessions.delete(session);
  }

  /** Nothing that was asked for after a failed sync is acknowledged before a restart. */
  #goesOn(sentAt: number | undefined, what: string): void {
    const stopped = (sentAt ?? 0) > this.#world.stoppedAt();
    this.#check("P1", !stopped, `${what} is acknowledged, and a sync had failed before it`);
  }

  #same<T>({ opening }: Session, before: readonly T[], now: readonly T[]): void {
    const same = now.length === before.length && now.every((one, index) => one === before[index]);
    this.#check("P3", same, `the listing changes within ${opening.name}`);
  }

  #marked(session: Session, marked: readonly number[]): readonly Truth[] {
    const known = this.#judge.namesOf(session.opening.maildrop);
    return marked.flatMap((number) => known.get(session.names?.[number - 1] ?? "") ?? []);
  }

  #of(maildrop: Maildrop): readonly Session[] {
    return [...this.#sessions].filter(({ opening }) => opening.maildrop === maildrop);
  }

  #check(promise: string, holds: boolean, what: string): void {
    this.checks += 1;
    if (!holds) throw new BrokenPromise(promise, what);
  }
}
