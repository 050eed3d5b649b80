import assert from "node:assert/strict";
import { once } from "node:events";
import net from "node:net";
import tls from "node:tls";
import { within } from "./wait.ts";

export type WireOptions = {
  readonly host?: string;
  readonly localAddress?: string;
  /** The certificate to trust: TLS from the first octet on. */
  readonly ca?: string;
  /** How long each wait may last. */
  readonly seconds?: number;
};

const CRLF = Buffer.from("\r\n");
const END = Buffer.from("\r\n.\r\n");

/** A raw connection: lines and octets in, octets out, each wait with a deadline. */
export class Wire {
  socket: net.Socket;
  readonly #seconds: number;
  #held: Buffer = Buffer.alloc(0);
  #finished = false;
  #failure: Error | undefined;
  #woken = Promise.withResolvers<void>();

  private constructor(socket: net.Socket, seconds: number) {
    this.socket = socket;
    this.#seconds = seconds;
    this.#listen();
  }

  /** Opens a connection to a port of this machine. */
  static async open(port: number, options: WireOptions = {}): Promise<Wire> {
    const { host = "127.0.0.1", localAddress, ca, seconds = 30 } = options;
    const where = { host, port, ...(localAddress === undefined ? {} : { localAddress }) };
    const socket = ca === undefined ? net.connect(where) : tls.connect({ ...where, ca, servername: "localhost" });
    socket.setNoDelay(true);
    await within(`a connection to ${port}`, seconds, once(socket, ca === undefined ? "connect" : "secureConnect"));
    return new Wire(socket, seconds);
  }

  /** Begins TLS on the open connection; nothing may have arrived that was not read. */
  async secure(ca: string): Promise<void> {
    assert.equal(this.#held.length, 0, "octets came before the handshake");
    for (const event of ["data", "end", "close", "error"]) this.socket.removeAllListeners(event);
    const secured = tls.connect({ socket: this.socket, ca, servername: "localhost" });
    await within("the TLS handshake", this.#seconds, once(secured, "secureConnect"));
    this.socket = secured;
    this.#listen();
  }

  /** Sends text (as latin1) or octets; comes back when the kernel has them. */
  async send(octets: string | Uint8Array): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const data = typeof octets === "string" ? Buffer.from(octets, "latin1") : octets;
    this.socket.write(data, (cause) => (cause ? reject(cause) : resolve()));
    await within("the peer to take what is sent", this.#seconds, promise);
  }

  /** The next line as latin1, without its CRLF. */
  async line(): Promise<string> {
    for (;;) {
      const end = this.#held.indexOf(CRLF);
      if (end >= 0) {
        const line = this.#held.toString("latin1", 0, end);
        this.#held = this.#held.subarray(end + CRLF.length);
        assert.ok(!/[\r\n]/.test(line), `a line end of its own kind in ${JSON.stringify(line)}`);
        return line;
      }
      await this.#more("a line");
    }
  }

  /**
   * Passes on the octets of a multi-line reply up to its final dot, as they stand on the wire (still stuffed), and
   * without the dot's own line. Gives their number.
   */
  async multiline(take: (piece: Buffer) => void): Promise<number> {
    let octets = 0;
    // The line end of the status line stands before the reply's own first octet, which may be the final dot.
    let joined: Buffer = Buffer.concat([CRLF, this.#held]);
    let passed = CRLF.length;
    for (;;) {
      const end = joined.indexOf(END);
      // The last octets may be the beginning of the end: they are passed on when more has come.
      const known = end < 0 ? joined.length - (END.length - 1) : end + CRLF.length;
      if (known > passed) {
        take(joined.subarray(passed, known));
        octets += known - passed;
        passed = known;
      }
      if (end >= 0) {
        this.#held = joined.subarray(end + END.length);
        return octets;
      }
      this.#held = Buffer.alloc(0);
      await this.#more("the final dot of a reply");
      joined = Buffer.concat([joined.subarray(Math.max(0, passed - CRLF.length)), this.#held]);
      passed = Math.min(passed, CRLF.length);
    }
  }

  /** Waits for the peer to close and gives what it sent before that, as latin1. */
  async closed(): Promise<string> {
    while (!this.#finished) await this.#more("the peer to close", true);
    return this.#held.toString("latin1");
  }

  /** Whether the peer has closed, as far as is known. */
  get finished(): boolean {
    return this.#finished;
  }

  close(): void {
    this.socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  async #more(what: string, endIsFine = false): Promise<void> {
    if (this.#finished && endIsFine) return;
    const held = JSON.stringify(this.#held.toString("latin1").slice(0, 200));
    assert.ok(
      !this.#finished,
      `the peer closed (${this.#failure?.message ?? "end"}) instead of ${what}; it sent ${held}`,
    );
    await within(what, this.#seconds, this.#woken.promise);
  }

  #wake(): void {
    this.#woken.resolve();
    this.#woken = Promise.withResolvers<void>();
  }

  #listen(): void {
    this.socket.on("data", (piece: Buffer) => {
      this.#held = this.#held.length === 0 ? piece : Buffer.concat([this.#held, piece]);
      this.#wake();
    });
    this.socket.on("error", (cause) => (this.#failure = cause));
    for (const event of ["end", "close"] as const) {
      this.socket.on(event, () => {
        this.#finished = true;
        this.#wake();
      });
    }
  }
}
