import { Random } from "../e2e/harness/random.ts";
import { addressOf, sleep, type Stage } from "./actor.ts";
import { unstuffed } from "./mail-text.ts";
import type { ReaderPlan, VisitPlan } from "./plan.ts";
import type { Owner } from "./runtime.ts";
import { seedOf } from "./runtime.ts";
import { Over, type Talk } from "./talk.ts";
import type { Maildrop, Session } from "./truth.ts";

/** What one visit came to: whether it got in, and how it ended. */
export type VisitEnd = "refused" | "over" | "quit" | "not-removed" | "left";

/** Fetches mail by POP3 and removes some of it, one visit after the other. */
export class Reader {
  readonly #stage: Stage;
  readonly #plan: ReaderPlan;
  readonly #owner: Owner;

  constructor(stage: Stage, plan: ReaderPlan, owner: Owner) {
    this.#stage = stage;
    this.#plan = plan;
    this.#owner = owner;
  }

  async run(): Promise<VisitEnd> {
    let end: VisitEnd = "refused";
    for (const [index, visit] of this.#plan.visits.entries()) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await sleep(this.#stage.runtime, this.#owner, visit.pauseMs);
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      end = await new Visit(this.#stage, this.#plan, visit, index + 1, this.#owner).run();
    }
    return end;
  }
}

class Visit {
  readonly #stage: Stage;
  readonly #plan: ReaderPlan;
  readonly #visit: VisitPlan;
  readonly #owner: Owner;
  readonly #name: string;
  readonly #random: Random;
  readonly #marked = new Set<number>();
  readonly #barred = new Set<number>();
  #session: Session | undefined;
  /** The maildrop whose password was sent. */
  #entered: Maildrop | undefined;
  #quitting = false;

  constructor(stage: Stage, plan: ReaderPlan, visit: VisitPlan, index: number, owner: Owner) {
    this.#stage = stage;
    this.#plan = plan;
    this.#visit = visit;
    this.#owner = owner;
    this.#name = `${plan.name}/${index}`;
    this.#random = new Random(seedOf(stage.runtime.seed, this.#name));
  }

  async run(): Promise<VisitEnd> {
    const end = await this.#visited();
    if (this.#entered !== undefined) this.#stage.oracle.gone(this.#entered, end === "quit" || end === "refused");
    return end;
  }

  async #visited(): Promise<VisitEnd> {
    try {
      const talk = this.#stage.connect(this.#owner, this.#name, "pop3");
      if (talk === undefined) return "refused";
      talk.end.vanish = this.#visit.vanish && { ...this.#visit.vanish };
      return await this.#speak(talk);
    } catch (cause) {
      if (!(cause instanceof Over)) throw cause;
      this.#tell(this.#quitting ? "has no answer to QUIT" : "is cut");
      if (this.#session === undefined) return "over";
      if (this.#quitting) this.#stage.oracle.notUpdated(this.#session, "unanswered");
      else this.#stage.oracle.ended(this.#session);
      return "over";
    }
  }

  async #speak(talk: Talk): Promise<VisitEnd> {
    const { oracle } = this.#stage;
    const { ends, pipelined, idleMs, stallMs } = this.#visit;
    if (!(await talk.line()).startsWith("+OK")) throw new Over();
    if (!(await this.#logIn(talk))) return "refused";
    const session = this.#session;
    if (session === undefined) return this.#leave(talk);
    await this.#list(talk, session, pipelined);
    if (stallMs > 0) await this.#stall(talk, stallMs);
    await this.#fetch(talk, session);
    if (idleMs > 0) await sleep(this.#stage.runtime, this.#owner, idleMs);
    await this.#list(talk, session, false);
    const together = pipelined && ends === "quit";
    await this.#mark(talk, session, together);
    if (ends === "quit") return this.#quit(talk, session, !together);
    if (ends === "end") talk.end.end();
    else if (ends === "reset") talk.end.reset();
    else talk.end.stall();
    oracle.ended(session);
    this.#tell(`leaves without QUIT (${ends}), ${this.#marked.size} marked`);
    return "left";
  }

  async #logIn(talk: Talk): Promise<boolean> {
    const { oracle, runtime } = this.#stage;
    const address = addressOf(this.#plan.account);
    const life = this.#stage.life()?.number ?? 0;
    talk.send(`USER ${address}\r\n`);
    await talk.line();
    const askedAt = runtime.monotonic();
    const maildrop = oracle.maildrop(address);
    oracle.entering(maildrop);
    this.#entered = maildrop;
    if (!talk.send(`PASS ${this.#plan.device}\r\n`)) throw new Over();
    const answer = await talk.line();
    this.#tell(`logs in to ${address}: ${answer}`);
    if (!answer.startsWith("+OK")) return this.#refused(answer, maildrop, askedAt);
    const messages = Number(/^\+OK (\d+) /.exec(answer)?.[1]);
    this.#session = oracle.opened({ name: this.#name, device: this.#plan.device, maildrop, askedAt, life, messages });
    return true;
  }

  #refused(answer: string, maildrop: Maildrop, askedAt: number): false {
    if (answer.includes("[AUTH]")) this.#stage.oracle.loginRefused(maildrop, askedAt);
    if (answer.includes("[IN-USE]")) this.#stage.oracle.inUse(maildrop, askedAt);
    if (answer.includes("[SYS/PERM]")) throw new Error(`the maildrop is said to be damaged: ${answer}`);
    return false;
  }

  async #list(talk: Talk, session: Session, pipelined: boolean): Promise<void> {
    const { oracle } = this.#stage;
    if (pipelined) talk.send("UIDL\r\nLIST\r\n");
    const uidl = await this.#ask(talk, session, "UIDL", pipelined);
    const names = uidl.startsWith("+OK") ? listed(await talk.multiline()) : undefined;
    if (names === undefined) oracle.unlisted(session, uidl);
    else oracle.named(session, names);
    const list = await this.#ask(talk, session, "LIST", pipelined);
    if (list.startsWith("+OK")) oracle.sized(session, listed(await talk.multiline()).map(Number));
    else oracle.unlisted(session, list);
    if (names !== undefined && session.lastTold !== names.length) {
      this.#tell(`lists ${names.join(" ")}`);
      // eslint-disable-next-line no-param-reassign -- so that the story says it once
      session.lastTold = names.length;
    }
  }

  async #fetch(talk: Talk, session: Session): Promise<void> {
    for (const [index, name] of (session.names ?? []).entries()) {
      const wanted = this.#random.fraction() < this.#visit.fetches || session.unknown.has(name);
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      if (wanted) await this.#retrieve(talk, session, index + 1);
    }
  }

  async #retrieve(talk: Talk, session: Session, number: number): Promise<void> {
    const answer = await this.#ask(talk, session, `RETR ${number}`);
    if (answer.startsWith("+OK")) this.#stage.oracle.read(session, number, unstuffed(await talk.multiline()));
    else {
      this.#barred.add(number);
      this.#stage.oracle.unread(session, number, answer);
    }
  }

  // Asks for everything and reads nothing of it for a while.
  async #stall(talk: Talk, ms: number): Promise<void> {
    talk.end.stall();
    const numbers = (this.#session?.names ?? []).map((_, index) => index + 1);
    const sentAt = this.#stage.runtime.monotonic();
    talk.send(numbers.map((number) => `TOP ${number} 5\r\n`).join(""));
    await sleep(this.#stage.runtime, this.#owner, ms);
    talk.end.readOn();
    for (const number of numbers) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const answer = await talk.line();
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      if (answer.startsWith("+OK")) await talk.multiline();
      else if (this.#session !== undefined) this.#stage.oracle.unread(this.#session, number, answer);
    }
    if (this.#session !== undefined) this.#stage.oracle.answered(this.#session, sentAt);
  }

  async #mark(talk: Talk, session: Session, withQuit: boolean): Promise<void> {
    const choose = (): readonly number[] =>
      (session.names ?? []).flatMap((name, index) => {
        const removable = !session.unknown.has(name) && !this.#barred.has(index + 1);
        return removable && this.#random.fraction() < this.#visit.removes ? [index + 1] : [];
      });
    if (this.#visit.resets) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      for (const number of choose()) await this.#ask(talk, session, `DELE ${number}`);
      await this.#ask(talk, session, "RSET");
    }
    const numbers = choose();
    if (withQuit) {
      const quit = talk.send([...numbers.map((number) => `DELE ${number}\r\n`), "QUIT\r\n"].join(""));
      if (quit) this.#startQuit(session, numbers);
    }
    for (const number of numbers) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const answer = await this.#ask(talk, session, `DELE ${number}`, withQuit);
      if (answer.startsWith("+OK")) this.#marked.add(number);
    }
  }

  #startQuit(session: Session, numbers: readonly number[]): void {
    this.#quitting = true;
    this.#stage.oracle.quitting(session, numbers);
  }

  async #quit(talk: Talk, session: Session, sends: boolean): Promise<VisitEnd> {
    const { oracle } = this.#stage;
    if (sends && talk.send("QUIT\r\n")) this.#startQuit(session, [...this.#marked]);
    const answer = await talk.line();
    this.#tell(
      `QUIT with ${this.#marked.size} marked (${[...this.#marked].map((n) => session.names?.[n - 1]).join(" ")}): ${answer}`,
    );
    if (answer.startsWith("+OK")) oracle.updated(session);
    else oracle.notUpdated(session, answer.includes("taken over") ? "lost" : "refused");
    talk.end.end();
    return answer.startsWith("+OK") ? "quit" : "not-removed";
  }

  // Whose maildrop nobody can tell is left alone.
  #leave(talk: Talk): VisitEnd {
    talk.send("QUIT\r\n");
    talk.end.end();
    return "left";
  }

  async #ask(talk: Talk, session: Session, command: string, sent = false): Promise<string> {
    const sentAt = this.#stage.runtime.monotonic();
    if (!sent) talk.send(`${command}\r\n`);
    const answer = await talk.line();
    if (answer.startsWith("+OK")) this.#stage.oracle.answered(session, sent ? 0 : sentAt);
    return answer;
  }

  #tell(what: string): void {
    this.#stage.tell(this.#name, what);
  }
}

/** The second word of each line of a listing. */
function listed(text: string): string[] {
  return text
    .split("\r\n")
    .slice(0, -2)
    .map((line) => line.slice(line.indexOf(" ") + 1));
}
