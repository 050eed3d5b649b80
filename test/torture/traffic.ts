import assert from "node:assert/strict";
import { stuff } from "../e2e/harness/dots.ts";
import { addressOf } from "../e2e/harness/installation.ts";
import type { Random } from "../e2e/harness/random.ts";
import type { Server } from "../e2e/harness/server.ts";
import { Smtp, type Reply } from "../e2e/harness/smtp.ts";
import { until } from "../e2e/harness/wait.ts";
import type { Ledger } from "./ledger.ts";
import { digestOf, identify, makeContent } from "./load.ts";
import { listOf, openMaildrop, retrieve, Refused } from "./refusable.ts";

export type TrafficOptions = {
  readonly server: Server;
  readonly ledger: Ledger;
  readonly random: Random;
  readonly boxes: readonly string[];
  /** Whether a connection may be cut now: an answer that had begun when a read failed, a server that was killed. */
  readonly mayCut: () => boolean;
};

// How long a command may wait for its answer here: blocks last shorter, and P9 is never later than the house's own deadlines.
const ANSWER_SECONDS = 60;
let sequence = 0;

/**
 * Delivery by SMTP and LMTP and POP3 with deletion that goes on while the disk fails: refusals are taken and counted where
 * their words are true, and everything else is a problem.
 */
export class Traffic {
  readonly #options: TrafficOptions;
  readonly problems: string[] = [];
  readonly tally = { acknowledged: 0, refused: 0, removed: 0, kept: 0 };
  readonly refusals = new Map<string, number>();
  #stopping = false;
  readonly #working: Promise<unknown>[] = [];

  constructor(options: TrafficOptions) {
    this.#options = options;
  }

  /** All answers to what changes a maildrop. */
  get answers(): number {
    const { acknowledged, refused, removed, kept } = this.tally;
    return acknowledged + refused + removed + kept;
  }

  start(): this {
    const { boxes } = this.#options;
    const half = Math.ceil(boxes.length / 2);
    for (const protocol of ["smtp", "lmtp", "smtp", "lmtp"] as const)
      this.#working.push(this.#again(() => this.#deliver(protocol)));
    for (const some of [boxes.slice(0, half), boxes.slice(half)])
      this.#working.push(this.#again(() => this.#remove(this.#options.random.pick(some))));
    return this;
  }

  /** Waits for so many more answers of these kinds. */
  async more(count: number, what: string, kinds: readonly (keyof Traffic["tally"])[]): Promise<void> {
    const sum = (): number => kinds.reduce((total, kind) => total + this.tally[kind], 0);
    const wanted = sum() + count;
    await until(what, ANSWER_SECONDS, () => {
      this.assertFine();
      return sum() >= wanted;
    });
  }

  /** Lets each dialogue come to its end. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.#working);
    this.assertFine();
  }

  assertFine(): void {
    assert.deepEqual(this.problems, []);
    assert.deepEqual(this.#options.ledger.problems, []);
  }

  async #again(work: () => Promise<void>): Promise<void> {
    while (!this.#stopping && this.problems.length === 0) {
      try {
        await work();
      } catch (cause) {
        if (cause instanceof Refused) this.#count(cause.message);
        else if (!this.#options.mayCut()) this.problems.push(cause instanceof Error ? cause.message : String(cause));
      }
    }
  }

  async #deliver(protocol: "smtp" | "lmtp"): Promise<void> {
    const { server, random } = this.#options;
    await using session = await Smtp.open(server.ports[protocol], {
      lmtp: protocol === "lmtp",
      seconds: ANSWER_SECONDS,
    });
    for (let count = random.between(1, 20); count > 0 && !this.#stopping; count -= 1) {
      if (random.fraction() < 0.03) return await this.#vanish(session);
      await this.#deliverOne(session);
    }
    await session.quit();
  }

  async #deliverOne(session: Smtp): Promise<void> {
    const { ledger, random, boxes } = this.#options;
    const id = nextId();
    const first = random.pick(boxes);
    const second = random.pick(boxes);
    const recipients = random.fraction() < 0.2 && first !== second ? [first, second] : [first];
    const content = makeContent(id, random);
    if (!(await this.#envelope(session, recipients))) return;
    ledger.sending(id, recipients, digestOf(content));
    await session.wire.send(stuff(content));
    const replies: Reply[] = [];
    for (let count = session.lmtp ? recipients.length : 1; count > 0; count -= 1) replies.push(await session.reply());
    for (const [index, box] of recipients.entries()) {
      // SMTP has one reply for all recipients, LMTP one for each.
      const reply = session.lmtp ? replies[index] : replies[0];
      if (reply?.code === 250) {
        ledger.acknowledged(id, box);
        this.tally.acknowledged += 1;
      } else {
        this.#refusedLater(reply);
        this.tally.refused += 1;
      }
    }
    if (replies.some(({ code }) => code === 421)) throw new Refused("421");
  }

  /** Up to where the content is awaited; false: the server would not take it now. */
  async #envelope(session: Smtp, recipients: readonly string[]): Promise<boolean> {
    const lines = [`MAIL FROM:<disk@e2e.test>`, ...recipients.map((box) => `RCPT TO:<${addressOf(box)}>`), "DATA"];
    for (const line of lines) {
      const reply = await session.command(line);
      if (reply.code === (line === "DATA" ? 354 : 250)) continue;
      this.#refusedLater(reply);
      this.tally.refused += 1;
      await session.must("RSET", 250);
      return false;
    }
    return true;
  }

  /** Nothing that was not stored may be called so, and nothing may be refused for good for a disk's sake. */
  #refusedLater(reply: Reply | undefined): void {
    const words = `${reply?.code} ${reply?.text}`;
    if (reply === undefined || reply.code < 400 || reply.code > 499) throw new Error(`a sender was told ${words}`);
    this.#count(words);
  }

  /** Goes away in the middle of a large body. */
  async #vanish(session: Smtp): Promise<void> {
    if (!(await this.#envelope(session, [this.#options.boxes[0] ?? ""]))) return;
    await session.wire.send(Buffer.from(`X-Kill-Id: ${nextId()}\r\n\r\n${"half a message\r\n".repeat(40_000)}`));
  }

  async #remove(box: string): Promise<void> {
    const { server, ledger, random } = this.#options;
    await using session = await openMaildrop(server, box, ANSWER_SECONDS);
    const uidls = await listOf(session, "UIDL");
    const share = uidls.length > 20 ? 0.9 : 0.3;
    const ids: string[] = [];
    for (const [index, uidl] of uidls.entries()) {
      if (random.fraction() > share) continue;
      let id = random.fraction() < 0.8 ? ledger.idOf(box, uidl) : undefined;
      if (id === undefined) {
        const found = { ...identify(await retrieve(session, index + 1)), uidl };
        ledger.seen(box, found);
        ({ id } = found);
      }
      await session.must(`DELE ${index + 1}`);
      ids.push(id);
    }
    ledger.quitting(box, ids);
    const status = await session.command("QUIT");
    if (status.startsWith("+OK")) ledger.removed(box, ids);
    else if (!status.startsWith("-ERR [SYS/TEMP]")) throw new Error(`the answer to QUIT is ${status}`);
    else this.#count(status);
    if (ids.length > 0) this.tally[status.startsWith("+OK") ? "removed" : "kept"] += 1;
  }

  #count(words: string): void {
    this.refusals.set(words, (this.refusals.get(words) ?? 0) + 1);
  }
}

function nextId(): string {
  sequence += 1;
  return `d${sequence}`;
}
