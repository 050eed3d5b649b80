import type { Connection, ConnectionHandler } from "../../src/net/connection.ts";
import type { Peer } from "../../src/model/peer.ts";
import { Random } from "../e2e/harness/random.ts";
import type { Owner, Runtime } from "./runtime.ts";
import { seedOf } from "./runtime.ts";

/** What a line is like. */
export type Line = {
  /** The longest way of a packet, in ms. */
  readonly latencyMs: number;
  /** Octets that the kernels on the way to the client take while nobody reads. */
  readonly window: number;
  /** Octets of a packet to the server at most; small ones cut commands apart. */
  readonly packet: number;
};

/** What a client hears of its connection. */
export type ClientEvents = { readonly data: (octets: Buffer) => void; readonly closed: (how: "end" | "reset") => void };

/** What both ends of a connection share: packets in order, each after its own time. */
class Way {
  readonly #runtime: Runtime;
  readonly #random: Random;
  readonly #latencyMs: number;
  #last = 0;

  constructor(runtime: Runtime, random: Random, latencyMs: number) {
    this.#runtime = runtime;
    this.#random = random;
    this.#latencyMs = latencyMs;
  }

  send(to: Owner, work: () => void): void {
    const now = this.#runtime.monotonic();
    this.#last = Math.max(this.#last, now + this.#random.fraction() * this.#latencyMs);
    this.#runtime.after(to, this.#last - now, work);
  }
}

type Parts = {
  readonly runtime: Runtime;
  readonly client: Owner;
  readonly server: Owner;
  readonly peer: Peer;
  readonly line: Line;
  readonly name: string;
};

/** The client's end. What it sends before the server has taken the connection waits. */
export class ClientEnd {
  readonly #parts: Parts;
  readonly #random: Random;
  readonly #out: Way;
  readonly #back: Way;
  readonly server: ServerEnd;
  #events: ClientEvents | undefined;
  readonly #held: Buffer[] = [];
  #heldEnd = false;
  #reading = true;
  #over = false;
  /** Octets after which it vanishes, and how. */
  vanish: { after: number; readonly how: "reset" | "end" | "silence" } | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#random = new Random(seedOf(parts.runtime.seed, parts.name));
    this.#out = new Way(parts.runtime, this.#random, parts.line.latencyMs);
    this.#back = new Way(parts.runtime, this.#random, parts.line.latencyMs);
    this.server = new ServerEnd(parts, this.#back, this);
  }

  listen(events: ClientEvents): void {
    this.#events = events;
  }

  get over(): boolean {
    return this.#over;
  }

  /** Sends octets, in packets; gives how many of them left before it vanished. */
  send(octets: Buffer): number {
    if (this.#over) return 0;
    const { vanish } = this;
    const left = vanish === undefined ? octets.length : Math.min(octets.length, vanish.after);
    for (let at = 0; at < left;) {
      const most = Math.min(left - at, this.#parts.line.packet);
      const size = this.#random.fraction() < 0.5 ? most : this.#random.between(1, most);
      const packet = Buffer.from(octets.subarray(at, at + size));
      this.#out.send(this.#parts.server, () => this.server.arrived(packet));
      at += size;
    }
    if (vanish === undefined) return left;
    vanish.after -= left;
    if (vanish.after === 0 && left < octets.length) this.#vanish(vanish.how);
    return left;
  }

  /** Says that nothing more comes. */
  end(): void {
    if (this.#over) return;
    this.#out.send(this.#parts.server, () => this.server.ended());
  }

  reset(): void {
    if (this.#over) return;
    this.#over = true;
    this.#out.send(this.#parts.server, () => this.server.peerReset());
  }

  /** Reads nothing until told to. */
  stall(): void {
    this.#reading = false;
  }

  readOn(): void {
    this.#reading = true;
    for (const octets of this.#held.splice(0)) this.#take(octets);
    if (this.#heldEnd) this.closed("end");
  }

  arrived(octets: Buffer): void {
    if (this.#over) return;
    if (this.#reading) this.#take(octets);
    else this.#held.push(octets);
  }

  closed(how: "end" | "reset"): void {
    if (this.#over) return;
    // Behind what it has not read yet.
    this.#heldEnd = how === "end" && !this.#reading;
    if (this.#heldEnd) return;
    this.#over = true;
    if (how === "end") this.#out.send(this.#parts.server, () => this.server.ended());
    this.#events?.closed(how);
  }

  #take(octets: Buffer): void {
    this.#out.send(this.#parts.server, () => this.server.took(octets.length));
    this.#events?.data(octets);
  }

  #vanish(how: "reset" | "end" | "silence"): void {
    // Who says that nothing more comes may go on reading.
    if (how === "end") this.end();
    else if (how === "reset") this.reset();
    else {
      this.#reading = false;
      this.#over = true;
    }
  }
}

type Write = { octets: Uint8Array; readonly taken: (() => void) | undefined };
type State = "open" | "ending" | "closed";
const CLOSE_MS = 10_000;

/** The server's end, as the program has it. */
export class ServerEnd implements Connection {
  readonly peer: Peer;
  readonly tls = undefined;
  readonly #parts: Parts;
  readonly #back: Way;
  readonly #client: ClientEnd;
  #handler: ConnectionHandler | undefined;
  readonly #waiting: Write[] = [];
  #unsent = 0;
  #inKernel = 0;
  readonly #early: Buffer[] = [];
  #paused = false;
  #peerEnded = false;
  #toldEnded = false;
  #state: State = "open";
  #finSent = false;
  #deadline = Number.POSITIVE_INFINITY;
  #moved = false;
  lastProgress: number;
  stalledSince = Number.POSITIVE_INFINITY;
  onClosed: () => void = () => undefined;
  onFailed: (cause: unknown) => void = () => undefined;

  constructor(parts: Parts, back: Way, client: ClientEnd) {
    this.#parts = parts;
    this.#back = back;
    this.#client = client;
    this.peer = parts.peer;
    this.lastProgress = parts.runtime.monotonic();
  }

  /** The server takes the connection. */
  accept(make: (connection: Connection) => ConnectionHandler): void {
    this.#handler = make(this);
    this.#feed();
  }

  binding(): undefined {
    return undefined;
  }

  get unsent(): number {
    return this.#unsent;
  }

  write(octets: Uint8Array | string, taken?: () => void): void {
    if (this.#state !== "open" || this.#dead) return;
    const piece = typeof octets === "string" ? Buffer.from(octets, "latin1") : octets;
    this.#unsent += piece.length;
    this.#waiting.push({ octets: piece, taken });
    this.#pass();
  }

  cork(): void {}

  uncork(): void {}

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    if (this.#early.length > 0) this.#soon(() => this.#feed());
  }

  startTls(): void {
    throw new Error("there is no TLS in a simulation");
  }

  end(): void {
    if (this.#state !== "open") return;
    this.#state = "ending";
    this.#deadline = this.#parts.runtime.monotonic() + CLOSE_MS;
    this.#passFin();
  }

  destroy(): void {
    if (this.#state === "closed" || this.#dead) return;
    this.#toClient(() => this.#client.closed("reset"));
    this.#close();
  }

  /** Here destroy() resets as well. */
  reset(): void {
    this.destroy();
  }

  fail(cause: unknown): void {
    this.onFailed(cause);
    this.destroy();
  }

  /** Once a second. */
  sweep(now: number): void {
    if (this.#state === "closed") return;
    if (now >= this.#deadline) return this.destroy();
    if (this.#unsent === 0) this.stalledSince = Number.POSITIVE_INFINITY;
    else if (this.#moved || this.stalledSince === Number.POSITIVE_INFINITY) this.stalledSince = now;
    this.#moved = false;
    if (this.#state === "open") this.#guarded(() => this.#handler?.tick(now));
  }

  /** The thread or the machine is gone; what had left may still come to the client, which hears of it so much later. */
  died(silenceMs: number): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    const { runtime, client } = this.#parts;
    runtime.after(client, silenceMs, () => this.#toClient(() => this.#client.closed("reset")));
  }

  shutdown(): void {
    this.#guarded(() => this.#handler?.shutdown());
  }

  arrived(octets: Buffer): void {
    if (this.#state === "closed") return;
    this.lastProgress = this.#parts.runtime.monotonic();
    if (this.#state === "ending") return;
    this.#early.push(octets);
    this.#feed();
  }

  ended(): void {
    this.#peerEnded = true;
    this.#feed();
    if (this.#state === "ending" && this.#finSent) this.#close();
  }

  peerReset(): void {
    if (this.#state !== "closed") this.#close();
  }

  took(octets: number): void {
    if (this.#state === "closed") return;
    this.#inKernel -= octets;
    this.#moved = true;
    this.#pass();
  }

  get #dead(): boolean {
    return !this.#parts.server.alive;
  }

  // What the kernel takes at once is gone from us at once; the callback comes behind, as in Node.
  #pass(): void {
    const { runtime, line } = this.#parts;
    const callbacks: (() => void)[] = [];
    for (let first = this.#waiting[0]; first !== undefined; first = this.#waiting[0]) {
      const room = Math.max(0, line.window - this.#inKernel);
      const part = Buffer.from(first.octets.subarray(0, room));
      if (part.length > 0) {
        this.#inKernel += part.length;
        this.#unsent -= part.length;
        this.#toClient(() => this.#client.arrived(part));
      }
      first.octets = first.octets.subarray(part.length);
      if (first.octets.length > 0) break;
      this.#waiting.shift();
      this.lastProgress = runtime.monotonic();
      this.#moved = true;
      if (first.taken !== undefined) callbacks.push(first.taken);
    }
    for (const taken of callbacks)
      queueMicrotask(() => {
        if (this.#state !== "closed" && !this.#dead) this.#guarded(taken);
      });
    this.#passFin();
  }

  #passFin(): void {
    if (this.#state !== "ending" || this.#unsent > 0 || this.#finSent) return;
    this.#finSent = true;
    this.#toClient(() => this.#client.closed("end"));
    if (this.#peerEnded) this.#soon(() => this.#close());
  }

  #feed(): void {
    const handler = this.#handler;
    if (handler === undefined) return;
    while (!this.#paused && this.#state === "open" && this.#early.length > 0) {
      const octets = this.#early.shift();
      if (octets !== undefined) this.#guarded(() => handler.data(octets));
    }
    const all = this.#peerEnded && this.#early.length === 0 && this.#state === "open" && !this.#paused;
    if (!all || this.#toldEnded) return;
    this.#toldEnded = true;
    this.#guarded(() => handler.ended());
  }

  #close(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#unsent = 0;
    this.#waiting.length = 0;
    this.#soon(() => {
      this.onClosed();
      this.#guarded(() => this.#handler?.closed());
    });
  }

  #guarded(work: () => void): void {
    try {
      work();
    } catch (cause) {
      this.fail(cause);
    }
  }

  #toClient(work: () => void): void {
    this.#back.send(this.#parts.client, work);
  }

  #soon(work: () => void): void {
    this.#parts.runtime.soon(this.#parts.server, work);
  }
}
