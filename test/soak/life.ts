import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { addressOf, importUsers, passwordOf } from "../e2e/harness/installation.ts";
import { Pop3 } from "../e2e/harness/pop3.ts";
import { Random } from "../e2e/harness/random.ts";
import type { Server } from "../e2e/harness/server.ts";
import { Smtp } from "../e2e/harness/smtp.ts";
import { Wire } from "../e2e/harness/wire.ts";
import { Ledger } from "../torture/ledger.ts";
import { survey } from "../torture/load.ts";

/** Whose mail the ledger keeps. */
export const BOXES = ["anna", "bert", "cora", "dora", "emil", "fred", "gina", "hugo"];
/** Whose mail is removed and brought back, again and again. */
export const PHOENIX = "phoenix";

/** Somebody of the company, or outside: does the same again and again, with a pause of about so many seconds. */
type Actor = { readonly name: string; readonly seconds: number; readonly act: () => Promise<void> };

/** The mixed life of a small company with its server. */
export class Life {
  readonly ledger = new Ledger();
  /** How often each actor has acted. */
  readonly acts = new Map<string, number>();
  readonly #server: Server;
  readonly #random: Random;
  readonly #over = new AbortController();
  readonly #busy = new Set<string>();
  #sequence = 0;
  #reloads = 0;

  constructor(server: Server, seed: number) {
    this.#server = server;
    this.#random = new Random(seed);
  }

  /** Goes on until it is told to end; rejects when somebody meets what may not be. */
  async run(): Promise<void> {
    const actors: readonly Actor[] = [
      { name: "deliveries by LMTP", seconds: 0.5, act: () => this.#deliver("lmtp") },
      { name: "deliveries by SMTP", seconds: 1, act: () => this.#deliver("smtp") },
      {
        name: "deliveries of large mail",
        seconds: 6,
        act: () => this.#send("lmtp", this.#random.between(300_000, 2_000_000)),
      },
      { name: "polls", seconds: 0.7, act: () => this.#inBox((session) => this.#poll(session)) },
      {
        name: "sessions that remove",
        seconds: 0.7,
        act: () => this.#inBox((session, box) => this.#remove(session, box)),
      },
      { name: "failed logins", seconds: 4, act: () => this.#failLogin() },
      { name: "clients that vanish in a body", seconds: 3, act: () => this.#vanishInBody() },
      { name: "clients that vanish in a message", seconds: 3, act: () => this.#vanishInMessage() },
      { name: "clients that stall", seconds: 5, act: () => this.#stall() },
      { name: "reloads", seconds: 20, act: () => this.#reload() },
      { name: "restores", seconds: 25, act: () => this.#restore() },
      { name: "imports and removals of users", seconds: 40, act: () => this.#import() },
    ];
    await Promise.all(actors.map((actor) => this.#live(actor)));
  }

  /** Ends it; `run` resolves when everybody has finished. */
  end(): void {
    this.#over.abort();
  }

  /** All that was acknowledged and not removed is there, and nothing else. */
  async check(): Promise<void> {
    for (const box of BOXES) this.ledger.check(box, await survey(this.#server, box));
    assert.deepEqual(this.ledger.problems, []);
  }

  async #live({ name, seconds, act }: Actor): Promise<void> {
    const { signal } = this.#over;
    while (!signal.aborted) {
      try {
        await act();
      } catch (cause) {
        this.end();
        throw new Error(name, { cause });
      }
      this.acts.set(name, (this.acts.get(name) ?? 0) + 1);
      const wait = seconds * 1000 * (0.5 + this.#random.fraction());
      await pause(wait, undefined, { signal }).catch(() => undefined);
    }
  }

  #deliver(protocol: "smtp" | "lmtp"): Promise<void> {
    return this.#send(protocol, this.#random.between(200, 60_000));
  }

  async #send(protocol: "smtp" | "lmtp", octets: number): Promise<void> {
    this.#sequence += 1;
    const id = `s${this.#sequence}`;
    const box = this.#random.pick(BOXES);
    const content = contentOf(id, octets);
    this.ledger.sending(id, [box], createHash("sha256").update(content).digest("hex"));
    const lmtp = protocol === "lmtp";
    const starttls = !lmtp && this.#random.fraction() < 0.5;
    const { ports, installation } = this.#server;
    await using session = await Smtp.open(ports[protocol], { lmtp, starttls, ca: installation.ca, seconds: 60 });
    const [reply] = await session.data("soak@elsewhere.example", [addressOf(box)], content);
    assert.equal(reply?.code, 250, JSON.stringify(reply));
    this.ledger.acknowledged(id, box);
    await session.quit();
  }

  /** Works in a maildrop that nobody else is in: two at once are for another test. */
  async #inBox(work: (session: Pop3, box: string) => Promise<void>): Promise<void> {
    const free = BOXES.filter((box) => !this.#busy.has(box));
    const box = this.#random.pick(free);
    this.#busy.add(box);
    try {
      await using session = await this.#login(box);
      await work(session, box);
      // Its lease is free once the server has closed.
      if (!session.wire.finished) await session.wire.closed();
    } finally {
      this.#busy.delete(box);
    }
  }

  async #poll(session: Pop3): Promise<void> {
    const { messages } = await session.stat();
    assert.equal((await session.uidl()).length, messages);
    if (messages > 0) await session.retrieve(messages);
    await session.must("QUIT");
  }

  async #remove(session: Pop3, box: string): Promise<void> {
    const uidls = await session.uidl();
    const ids: string[] = [];
    for (const [index, uidl] of uidls.entries()) {
      if (uidls.length < 30 && this.#random.fraction() < 0.3) continue;
      const message = await session.retrieve(index + 1);
      const [, id = ""] = /^X-Kill-Id: (\w+)\r\n/m.exec(message.toString("latin1", 0, 2000)) ?? [];
      const before = this.ledger.idOf(box, uidl);
      assert.ok(before === undefined || before === id, `${box}: ${uidl} was ${before} and is ${id}`);
      await session.must(`DELE ${index + 1}`);
      ids.push(id);
    }
    this.ledger.quitting(box, ids);
    await session.must("QUIT");
    this.ledger.removed(box, ids);
  }

  async #failLogin(): Promise<void> {
    const { ports, installation } = this.#server;
    // From an address of its own: who guesses is slowed, with all who come from there.
    const localAddress = `127.0.0.${this.#random.between(100, 200)}`;
    await using session = await Pop3.open(ports.pop3s, {
      tls: "implicit",
      ca: installation.ca,
      localAddress,
      seconds: 60,
    });
    await session.must(`USER ${this.#random.pick(["nobody", "root", "info"])}@elsewhere.example`);
    assert.match(await session.command(`PASS guess${this.#random.between(1, 1e6)}`), /^-ERR/);
  }

  async #vanishInBody(): Promise<void> {
    const { ports } = this.#server;
    await using session = await Smtp.open(ports.lmtp, { lmtp: true });
    await session.envelope("soak@elsewhere.example", [addressOf(this.#random.pick(BOXES))]);
    await session.must("DATA", 354);
    await session.wire.send(Buffer.alloc(this.#random.between(10, 800_000), "vanish\r\n"));
  }

  async #vanishInMessage(): Promise<void> {
    const { ports } = this.#server;
    await using session = await this.#login(PHOENIX, ports.pop3s);
    await session.wire.send("UIDL\r\nRETR 1\r\nLIST\r\n");
    session.wire.socket.pause();
    await pause(this.#random.between(1, 200));
  }

  async #stall(): Promise<void> {
    const { ports } = this.#server;
    const port = this.#random.pick([ports.pop3, ports.pop3s, ports.smtp, ports.submission, ports.lmtp]);
    await using wire = await Wire.open(port);
    await wire.send(this.#random.pick(["", "QU", "EHLO", "\u0016\u0003\u0001"]));
    const { signal } = this.#over;
    await pause(this.#random.between(100, 8000), undefined, { signal }).catch(() => undefined);
  }

  /** Undelete is on and off in turn: what it kept is erased while it is off, as by age in a longer life. */
  async #reload(): Promise<void> {
    this.#reloads += 1;
    const off = this.#reloads % 2 === 1;
    this.#server.installation.configure(soakConfig(off ? 0 : 1));
    const before = this.#server.events("server.reloaded").length;
    this.#server.signal("SIGHUP");
    await this.#server.event("server.reloaded", 30, before);
  }

  async #restore(): Promise<void> {
    const { installation, ports } = this.#server;
    await using sending = await Smtp.open(ports.lmtp, { lmtp: true });
    for (let count = 0; count < 3; count += 1) {
      const [reply] = await sending.data("soak@elsewhere.example", [addressOf(PHOENIX)], contentOf("p", 30_000));
      assert.equal(reply?.code, 250, JSON.stringify(reply));
    }
    const found = await this.#login(PHOENIX).catch(() => undefined);
    // Another one vanished in it a moment ago.
    if (found === undefined) return;
    await using session = found;
    const { messages } = await session.stat();
    for (let number = 1; number <= messages; number += 1) await session.must(`DELE ${number}`);
    await session.quit();
    const end = await installation.cli(["maildrop", "restore", addressOf(PHOENIX), "--since", "1m"]);
    // While undelete is off nothing is kept.
    assert.ok(end.code === 0 || /nothing that was removed/.test(end.stderr), end.stderr);
  }

  async #import(): Promise<void> {
    const { installation } = this.#server;
    const names = Array.from({ length: 5 }, (_, index) => addressOf(`guest${index + 1}`));
    await importUsers(
      installation,
      names.map((name) => [name, `{PLAIN}${passwordOf(name)}`]),
    );
    for (const name of names) await installation.mustCli(["user", "remove", name]);
  }

  #login(box: string, port = this.#random.pick([this.#server.ports.pop3s, this.#server.ports.pop3])): Promise<Pop3> {
    const { ports, installation } = this.#server;
    const tls = port === ports.pop3s ? "implicit" : "starttls";
    return Pop3.login(port, addressOf(box), passwordOf(box), { tls, ca: installation.ca, seconds: 60 });
  }
}

/** The configuration with undelete for so many days; what is dead leaves the disk at the next turn. */
export function soakConfig(undeleteDays: number) {
  return { retention: { undelete_days: undeleteDays, erase_days: 0 } };
}

function contentOf(id: string, octets: number): Buffer {
  const line = `${"soak".repeat(17)} ${id}\r\n.dot\r\n`;
  return Buffer.from(`X-Kill-Id: ${id}\r\n\r\n${line.repeat(Math.ceil(octets / line.length))}`);
}
