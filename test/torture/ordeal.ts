import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { statSync } from "node:fs";
import path from "node:path";
import { Ledger } from "./ledger.ts";
import { survey } from "./load.ts";
import { ask } from "../e2e/harness/http.ts";
import { addressOf, type Installation } from "../e2e/harness/installation.ts";
import { login } from "../e2e/harness/maildrop.ts";
import { Random } from "../e2e/harness/random.ts";
import { refusedStart } from "../e2e/harness/refusal.ts";
import { serve, type Server } from "../e2e/harness/server.ts";
import { Smtp } from "../e2e/harness/smtp.ts";
import type { Filler } from "./small-disk.ts";

/** A server on a disk that gets full, what is sent to it and removed from it, and what must be there. */
export class Ordeal {
  readonly installation: Installation;
  readonly filler: Filler;
  readonly boxes: readonly string[];
  readonly random: Random;
  readonly ledger = new Ledger();
  readonly counts = { refused: 0, removals: 0, refusedRemovals: 0, restarts: 0 };
  readonly #env: Readonly<Record<string, string>>;
  readonly #refused = new Set<string>();
  #sequence = 0;
  #running = new AsyncDisposableStack();
  #server: Server | undefined;

  constructor(given: {
    readonly installation: Installation;
    readonly filler: Filler;
    readonly boxes: readonly string[];
    readonly seed: number;
    readonly env: Readonly<Record<string, string>>;
  }) {
    this.installation = given.installation;
    this.filler = given.filler;
    this.boxes = given.boxes;
    this.random = new Random(given.seed);
    this.#env = given.env;
  }

  get server(): Server {
    assert.ok(this.#server?.running, "the server runs");
    return this.#server;
  }

  /** The last that the server said of itself. */
  get said(): string {
    return this.#server?.output.slice(-3000) ?? "nothing: it does not run";
  }

  /** Octets that are kept back for removals. */
  get reserve(): number {
    return statSync(path.join(this.installation.data, "reserve"), { throwIfNoEntry: false })?.size ?? 0;
  }

  async start(): Promise<void> {
    this.#server = await serve(this.#running, this.installation, { env: this.#env });
    this.counts.restarts += 1;
  }

  /** The words by which a start is refused. */
  async refusedStart(): Promise<string> {
    return refusedStart(this.installation);
  }

  async kill(): Promise<void> {
    await this.server.kill();
    await this.#nextRun();
  }

  async stop(): Promise<void> {
    assert.deepEqual(await this.server.stop(), { code: 0, signal: null }, "it stops in good order");
    await this.#nextRun();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#running.disposeAsync();
  }

  /** Sends one message by LMTP: it is stored, or refused for want of room, and nothing else. */
  async send(octets: number): Promise<"stored" | "refused"> {
    this.#sequence += 1;
    const id = `f${this.#sequence}`;
    const box = this.random.pick(this.boxes);
    const content = contentOf(id, octets);
    this.ledger.sending(id, [box], createHash("sha256").update(content).digest("hex"));
    await using session = await Smtp.open(this.server.ports.lmtp, { lmtp: true, seconds: 60 });
    const [reply] = await session.data("full@e2e.test", [addressOf(box)], content);
    if (reply?.code === 250) {
      this.ledger.acknowledged(id, box);
      return "stored";
    }
    assert.equal(reply?.code, 452, JSON.stringify(reply));
    assert.match(reply.text, /^4\.3\.1 /, "mail system full (RFC 3463)");
    this.#refused.add(id);
    this.counts.refused += 1;
    return "refused";
  }

  small(): Promise<"stored" | "refused"> {
    return this.send(this.random.between(200, 20_000));
  }

  /** Too large for memory: on its way in it needs a file. */
  spooled(): Promise<"stored" | "refused"> {
    return this.send(this.random.between(300_000, 1_500_000));
  }

  /** Marks some of a maildrop and ends the session; what the answer says must be true. */
  async remove(box: string, share: number, before: () => void = () => undefined): Promise<"removed" | "refused"> {
    await using session = await login(this.server, box);
    const uidls = await session.uidl();
    const ids: string[] = [];
    for (const [index, uidl] of uidls.entries()) {
      if (this.random.fraction() > share) continue;
      const id = this.ledger.idOf(box, uidl);
      if (id === undefined) continue;
      await session.must(`DELE ${index + 1}`);
      ids.push(id);
    }
    before();
    this.ledger.quitting(box, ids);
    const status = await session.command("QUIT");
    if (status.startsWith("+OK")) {
      this.ledger.removed(box, ids);
      if (ids.length > 0) this.counts.removals += 1;
      return "removed";
    }
    assert.match(status, /^-ERR \[SYS\/TEMP\]/, status);
    this.counts.refusedRemovals += 1;
    await using again = await login(this.server, box);
    assert.equal((await again.uidl()).length, uidls.length, "what was not removed is all there");
    return "refused";
  }

  /** Logs in everywhere and fetches all: what was acknowledged is there, what was refused is not. */
  async check(): Promise<void> {
    for (const box of this.boxes) {
      const found = await survey(this.server, box);
      for (const { id } of found) assert.ok(!this.#refused.has(id), `${id} was refused and is there`);
      this.ledger.check(box, found);
    }
    assert.deepEqual(this.ledger.problems, []);
  }

  /** What the server says of its health: the status, and its text. */
  async health(): Promise<string> {
    const { status, text } = await ask(this.server.ports.http, "/health/ready");
    return `${status} ${text}`;
  }

  async #nextRun(): Promise<void> {
    await this.#running.disposeAsync();
    this.#running = new AsyncDisposableStack();
    this.#server = undefined;
  }
}

function contentOf(id: string, octets: number): Buffer {
  const line = `${"abcdefghijklmnopqrstuvwxyz".repeat(2)} ${id}\r\n.dot\r\n`;
  return Buffer.from(`X-Kill-Id: ${id}\r\n\r\n${line.repeat(Math.ceil(octets / line.length))}`);
}
