import assert from "node:assert/strict";
import { ask } from "../e2e/harness/http.ts";
import { addressOf } from "../e2e/harness/installation.ts";
import { messageOf } from "../e2e/harness/messages.ts";
import type { Server } from "../e2e/harness/server.ts";
import { Smtp } from "../e2e/harness/smtp.ts";
import { sameOctets, withoutTrace } from "../e2e/harness/trace.ts";
import { until } from "../e2e/harness/wait.ts";
import { listOf, openMaildrop, retrieve, Refused } from "./refusable.ts";

const ANSWER_SECONDS = 60;

/** One maildrop that is only read, again and again: whatever befalls writes, its reader must not feel it. */
export class Witness {
  readonly #box: string;
  readonly #messages: Buffer[] = [];
  #uidls: readonly string[] = [];
  #stopping = false;
  #working: Promise<void> = Promise.resolve();
  #failure: Error | undefined;
  sessions = 0;
  refused = 0;
  /** Milliseconds of the slowest answer since it was set to 0. */
  slowest = 0;

  constructor(box: string) {
    this.#box = box;
  }

  /** Delivers what is read from then on: small ones and one that has a file of its own. */
  async prepare(server: Server): Promise<void> {
    await using session = await Smtp.open(server.ports.smtp);
    for (const [index, octets] of [900, 7000, 300_000, 2000].entries()) {
      const { octets: content } = messageOf(octets, index + 1);
      const [reply] = await session.data("witness@e2e.test", [addressOf(this.#box)], content);
      assert.equal(reply?.code, 250);
      this.#messages.push(content);
    }
    await session.quit();
    await this.#session(server);
  }

  start(server: Server, mayCut: () => boolean): void {
    this.#stopping = false;
    this.#working = this.#again(server, mayCut);
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#working;
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Waits for so many whole sessions from now on. */
  async more(sessions: number, what: string): Promise<void> {
    const wanted = this.sessions + sessions;
    await until(what, ANSWER_SECONDS, () => {
      if (this.#failure !== undefined) throw this.#failure;
      return this.sessions >= wanted;
    });
  }

  async #again(server: Server, mayCut: () => boolean): Promise<void> {
    while (!this.#stopping) {
      try {
        await this.#session(server);
      } catch (cause) {
        if (cause instanceof Refused) this.refused += 1;
        else if (!mayCut()) return void (this.#failure = new Error("the one who only reads", { cause }));
      }
    }
  }

  async #session(server: Server): Promise<void> {
    await using session = await this.#timed(() => openMaildrop(server, this.#box, ANSWER_SECONDS));
    const uidls = await this.#timed(() => listOf(session, "UIDL"));
    if (this.#uidls.length === 0) this.#uidls = uidls;
    assert.deepEqual(uidls, this.#uidls, "the unique ids of a maildrop that nobody changes");
    for (const [index, sent] of this.#messages.entries()) {
      const octets = await this.#timed(() => retrieve(session, index + 1));
      sameOctets(withoutTrace(octets), sent, `message ${index + 1} of ${this.#box}`);
    }
    await this.#timed(() => session.quit());
    this.sessions += 1;
  }

  async #timed<T>(work: () => Promise<T>): Promise<T> {
    const begin = performance.now();
    try {
      return await work();
    } finally {
      this.slowest = Math.max(this.slowest, performance.now() - begin);
    }
  }
}

/** What /health/ready says of the store. */
export async function storeHealth(server: Server): Promise<{ readonly ready: boolean; readonly reason: string }> {
  const { status, text } = await ask(server.ports.http, "/health/ready");
  const { parts } = JSON.parse(text) as { parts: { store?: { status?: string; reason?: string } } };
  return { ready: status === 200, reason: parts.store?.status === "ready" ? "" : (parts.store?.reason ?? "") };
}
