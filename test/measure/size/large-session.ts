import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import net from "node:net";
import { within } from "../../e2e/harness/wait.ts";

/** How a multi-line answer came: from the command to its first octet, and to its last. */
export type Listed = {
  readonly firstMs: number;
  readonly wholeMs: number;
  readonly octets: number;
  readonly digest: string;
};

const SECONDS = 300;
const END = Buffer.from("\r\n.\r\n");
const CHUNK_OCTETS = 64 * 1024;

/** One POP3 session of a large maildrop: listings are counted and digested as they come, never held. */
export class LargeSession {
  readonly #socket: net.Socket;
  #taker: ((piece: Buffer) => void) | undefined;

  private constructor(socket: net.Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on("data", (piece: Buffer) => this.#taker?.(piece));
    socket.on("error", () => undefined);
  }

  /** Logs in; gives how long the answer to PASS took, which is the open of the maildrop. */
  static async login(port: number, user: string, password: string): Promise<{ session: LargeSession; openMs: number }> {
    const socket = net.connect(port, "127.0.0.1");
    const session = new LargeSession(socket);
    await within("a greeting", SECONDS, session.#status(""));
    await session.status(`USER ${user}`);
    const begin = performance.now();
    await session.status(`PASS ${password}`);
    return { session, openMs: performance.now() - begin };
  }

  /** Sends a command that must be answered by +OK in one line; gives the line. */
  status(command: string): Promise<string> {
    return within(`the answer to ${command.split(" ")[0]}`, SECONDS, this.#status(`${command}\r\n`));
  }

  /** LIST or UIDL; `slowly`: nothing is read until that resolves. */
  async listing(command: "LIST" | "UIDL", slowly?: () => Promise<void>): Promise<Listed> {
    const answer = new ListingReader();
    const begin = performance.now();
    this.#taker = (piece) => answer.take(piece);
    this.#socket.write(`${command}\r\n`);
    if (slowly !== undefined) {
      this.#socket.pause();
      await slowly();
      this.#socket.resume();
    }
    await within(`the end of ${command}`, SECONDS, answer.whole);
    const { first, octets, digest } = answer;
    return { firstMs: first - begin, wholeMs: performance.now() - begin, octets, digest };
  }

  /** DELE of the first so many messages, all of them sent without waiting for an answer; each must be +OK. */
  async markAll(commands: readonly Buffer[], count: number): Promise<void> {
    const answers = new SameLines(count);
    this.#taker = (piece) => answers.take(piece);
    for (const piece of commands)
      if (!this.#socket.write(piece)) await within("room to write", SECONDS, once(this.#socket, "drain"));
    await within("the answers to DELE", SECONDS, answers.whole);
  }

  /** QUIT; gives how long its answer took. */
  async quit(): Promise<number> {
    const begin = performance.now();
    await this.status("QUIT");
    const quitMs = performance.now() - begin;
    this.#socket.destroy();
    return quitMs;
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }

  async #status(text: string): Promise<string> {
    const answered = Promise.withResolvers<string>();
    let line = "";
    this.#taker = (piece) => {
      line += piece.toString("latin1");
      if (line.endsWith("\r\n")) answered.resolve(line);
    };
    this.#socket.once("close", () => answered.reject(new Error(`closed after ${JSON.stringify(line)}`)));
    if (text !== "") this.#socket.write(text);
    const answer = await answered.promise;
    assert.match(answer, /^\+OK[^\n]*\n$/, `the answer to ${text.split(" ")[0]}`);
    return answer.trimEnd();
  }
}

/** DELE of the first so many messages, in pieces: made before the clock runs, for the client shares its cores. */
export function deleCommands(count: number): Buffer[] {
  const pieces: Buffer[] = [];
  let text = "";
  for (let number = 1; number <= count; number += 1) {
    text += `DELE ${number}\r\n`;
    if (text.length < CHUNK_OCTETS && number < count) continue;
    pieces.push(Buffer.from(text, "latin1"));
    text = "";
  }
  return pieces;
}

/** Reads so many lines that must all be the first one again, and that one +OK. */
class SameLines {
  readonly #ended = Promise.withResolvers<void>();
  readonly #count: number;
  #pattern: Buffer | undefined;
  // Until a whole line has come.
  #first: Buffer = Buffer.alloc(0);
  #line = 0;
  #octets = 0;

  constructor(count: number) {
    this.#count = count;
  }

  get whole(): Promise<void> {
    return this.#ended.promise;
  }

  take(piece: Buffer): void {
    this.#first = Buffer.concat([this.#first, piece]);
    if (this.#pattern === undefined && !this.#first.includes("\n")) return;
    const octets = this.#first;
    this.#first = Buffer.alloc(0);
    this.#pattern ??= this.#begin(octets);
    this.#compare(octets, this.#pattern);
  }

  #compare(piece: Buffer, pattern: Buffer): void {
    for (let at = 0; at < piece.length;) {
      const from = this.#octets % this.#line;
      const octets = Math.min(piece.length - at, pattern.length - from);
      if (piece.compare(pattern, from, from + octets, at, at + octets) !== 0)
        return this.#ended.reject(new Error(`not every DELE was answered as the first: ${piece.toString("latin1")}`));
      at += octets;
      this.#octets += octets;
    }
    if (this.#octets >= this.#line * this.#count) this.#ended.resolve();
  }

  #begin(piece: Buffer): Buffer {
    const line = piece.subarray(0, piece.indexOf("\n") + 1);
    assert.match(line.toString("latin1"), /^\+OK.*\r\n$/, "the first answer to DELE");
    this.#line = line.length;
    return Buffer.concat(Array.from({ length: Math.ceil((2 * CHUNK_OCTETS) / line.length) }, () => line));
  }
}

class ListingReader {
  readonly #hash = createHash("sha256");
  readonly #ended = Promise.withResolvers<void>();
  #status: Buffer | undefined = Buffer.alloc(0);
  // What may be the beginning of the end stays until more has come.
  #rest = Buffer.from("\r\n");
  #skip = 2;
  first = Number.NaN;
  octets = 0;
  digest = "";

  get whole(): Promise<void> {
    return this.#ended.promise;
  }

  take(piece: Buffer): void {
    if (Number.isNaN(this.first)) this.first = performance.now();
    if (this.#status === undefined) return this.#lines(piece);
    this.#status = Buffer.concat([this.#status, piece]);
    const end = this.#status.indexOf("\r\n");
    if (end < 0) return;
    assert.equal(this.#status.toString("latin1", 0, 3), "+OK", "the listing begins");
    const behind = this.#status.subarray(end + 2);
    this.#status = undefined;
    this.#lines(behind);
  }

  #lines(piece: Buffer): void {
    const joined = Buffer.concat([this.#rest, piece]);
    const ended = joined.length >= END.length && joined.subarray(-END.length).equals(END);
    const upTo = ended ? joined.length - END.length + 2 : Math.max(this.#skip, joined.length - END.length);
    const lines = joined.subarray(this.#skip, upTo);
    this.#hash.update(lines);
    this.octets += lines.length;
    const keep = Math.max(0, upTo - 2);
    this.#rest = Buffer.from(joined.subarray(keep));
    this.#skip = upTo - keep;
    if (!ended) return;
    this.digest = this.#hash.digest("hex");
    this.#ended.resolve();
  }
}
