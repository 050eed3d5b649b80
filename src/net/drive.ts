import { LineSplitter, type Line } from "../lib/lines.ts";
import type { Connection, ConnectionHandler } from "./connection.ts";

/** A line protocol's side of a connection: what `Drive` feeds. */
export type Driven = {
  /** One line without its end, latin1; or OVERLONG. */
  line(line: Line): void;
  /** While `content` was asked for: octets as they came; gives how many of them belong to the content. */
  content(octets: Buffer): number;
  /** The handshake is over; nothing that came before it is left. */
  secured(): void;
  /** The server is stopping. */
  shutdown(): void;
  /** The connection is gone, whatever the reason: the peer's, ours, or a deadline. */
  closed(): void;
  tick(nowMonotonicMs: number): void;
  /** The peer has taken nothing of what was written for too long; the connection is destroyed next. */
  stalled(): void;
};

export type DriveOptions = {
  /** The longest line that is taken, its end included. */
  readonly lineOctets: number;
  /** Whether a bare LF ends a line too. */
  readonly bareLf: boolean;
  readonly writeStallSeconds: number;
};

// Replies are gathered up to here, then written even in the middle of a batch.
const GATHERED_OCTETS = 32 * 1024;
// Above it no line is fed until the kernel has taken everything: a client that does not read gets no more answers.
const UNSENT_OCTETS = 128 * 1024;
// Input that waits; above it the socket is paused and the sender feels it.
const HELD_OCTETS = 64 * 1024;
// A client that sends a million commands at once gives the others their turn after so many: some ms.
const LINES_AT_ONCE = 1000;
// So much of one line is nobody's mistake any more.
const FLOOD_OCTETS = 1024 * 1024;

/**
 * Runs a line protocol over a connection: one line after the other, each only when the one before has been answered or
 * has let go; all replies of a batch of input in one write; the socket paused while too much waits on either side.
 */
export class Drive implements ConnectionHandler {
  readonly connection: Connection;
  readonly #driven: Driven;
  readonly #splitter: LineSplitter;
  readonly #writeStallMs: number;
  readonly #onTaken = (): void => this.#taken();
  #out = "";
  #content = false;
  #held = false;
  #congested = false;
  #paused = false;
  #pumping = false;
  // Many lines were fed in one go: the rest waits for the next turn of the loop.
  #resting = false;
  // The peer's FIN came.
  #peerEnded = false;
  // We are closing: nothing is fed any more.
  #over = false;

  constructor(connection: Connection, options: DriveOptions, driven: (drive: Drive) => Driven) {
    this.connection = connection;
    this.#splitter = new LineSplitter({ maximum: options.lineOctets, bareLf: options.bareLf });
    this.#writeStallMs = options.writeStallSeconds * 1000;
    this.#driven = driven(this);
    this.flush();
  }

  /** Octets that came and have not been fed. */
  get behind(): number {
    return this.#splitter.held;
  }

  /** Gathers text (latin1) for the write that ends this batch of input. */
  say(text: string): void {
    this.#out += text;
  }

  /** Writes what was gathered, and calls back when the kernel has all that was ever written: perhaps at once. */
  flush(taken?: () => void): void {
    const text = this.#out;
    if (text !== "") {
      this.#out = "";
      this.connection.write(text, taken);
      // The kernel has nearly always taken it by now, and a callback costs as much again as the write.
      if (taken === undefined && this.connection.unsent > 0) this.connection.write("", this.#onTaken);
    } else if (taken === undefined) return;
    else if (this.connection.unsent === 0) taken();
    else this.connection.write("", taken);
  }

  /** Writes octets behind what was gathered; they may be reused once `taken` was called. */
  write(octets: Uint8Array | string, taken: () => void): void {
    if (this.#out === "") return this.connection.write(octets, taken);
    this.connection.cork();
    this.flush();
    this.connection.write(octets, taken);
    this.connection.uncork();
  }

  /** No line is fed until `go`: the protocol waits for something. */
  hold(): void {
    this.#held = true;
  }

  /** What was waited for has come. */
  go(): void {
    this.#held = false;
    this.#pump();
  }

  /** Whether what comes next is content rather than lines. */
  takeContent(content: boolean): void {
    this.#content = content;
  }

  /** Begins a handshake once what was gathered has left; what came before it is never used after it (TLS-02). */
  startTls(): void {
    this.#held = true;
    this.flush(() => {
      this.#splitter.drop(this.#splitter.held);
      this.connection.startTls();
    });
  }

  /** Writes what was gathered and closes. */
  end(): void {
    this.#over = true;
    this.flush();
    this.connection.end();
  }

  /** Closes at once. */
  destroy(): void {
    this.#over = true;
    this.connection.destroy();
  }

  /** The same by a reset. */
  reset(): void {
    this.#over = true;
    this.connection.reset();
  }

  data(octets: Buffer): void {
    if (this.#over) return;
    this.#splitter.push(octets);
    this.#pump();
    if (this.#splitter.skipped > FLOOD_OCTETS) this.end();
  }

  secured(): void {
    this.#held = false;
    this.#driven.secured();
    this.#pump();
  }

  ended(): void {
    this.#peerEnded = true;
    this.#pump();
  }

  shutdown(): void {
    if (!this.#over) this.#driven.shutdown();
  }

  closed(): void {
    this.#over = true;
    this.#driven.closed();
  }

  tick(nowMonotonicMs: number): void {
    if (nowMonotonicMs - this.connection.stalledSince > this.#writeStallMs) {
      this.#driven.stalled();
      this.destroy();
    } else this.#driven.tick(nowMonotonicMs);
  }

  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    // The callback of a protocol's own write may come before ours.
    if (this.connection.unsent === 0) this.#congested = false;
    for (let fed = 0; !this.#held && !this.#congested && !this.#resting && !this.#over && this.#feed(); fed += 1) {
      if (this.#out.length >= GATHERED_OCTETS) this.#flushGathered();
      if (fed === LINES_AT_ONCE) this.#rest();
    }
    this.#pumping = false;
    if (this.#over) return;
    this.#flushGathered();
    this.#regulate();
    // All that the peer sent has been dealt with and no more will come; what was answered still leaves.
    if (this.#peerEnded && !this.#held && !this.#congested && !this.#resting) this.end();
  }

  #rest(): void {
    this.#resting = true;
    setImmediate(() => {
      this.#resting = false;
      this.#pump();
    });
  }

  // Feeds one line or one piece of content; false: there is none.
  #feed(): boolean {
    if (this.#content) {
      const octets = this.#splitter.rest();
      if (octets.length === 0) return false;
      this.#splitter.drop(this.#driven.content(octets));
      return true;
    }
    const line = this.#splitter.next();
    if (line === undefined) return false;
    this.#driven.line(line);
    return true;
  }

  #flushGathered(): void {
    this.flush();
    this.#congested = this.connection.unsent > UNSENT_OCTETS;
    // Where the protocol wrote by itself nothing was gathered, and so nobody has asked yet.
    if (this.#congested) this.connection.write("", this.#onTaken);
  }

  #taken(): void {
    if (!this.#congested || this.connection.unsent > 0) return;
    this.#congested = false;
    this.#pump();
  }

  #regulate(): void {
    const full = this.#splitter.held > HELD_OCTETS;
    if (full === this.#paused) return;
    this.#paused = full;
    if (full) this.connection.pause();
    else this.connection.resume();
  }
}
