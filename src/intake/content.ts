import { isAscii } from "node:buffer";
import { hash } from "node:crypto";
import { crc32 } from "node:zlib";
import { assert } from "../lib/assert.ts";
import { BODY_HEAD_OCTETS, type ReadyBody } from "../model/body.ts";
import type { ContentSink, SmtpPorts } from "../smtp/ports.ts";
import type { Bodies } from "../store/ports.ts";
import type { Budget } from "./budget.ts";
import { DowngradedOctets, downgradedOctets } from "./downgraded-octets.ts";
import { type HeaderFacts, HeaderScan } from "./header-scan.ts";
import type { JunkHeader } from "./junk-header.ts";
import { Spooling } from "./spooling.ts";
import { TRACE_OCTETS } from "./trace.ts";

/** What contents are made of. */
export type ContentParts = Readonly<{
  bodies: Pick<Bodies, "spool" | "buffer">;
  /** Shared by all contents of this thread. */
  budget: Budget;
  /** The field by which a filter before us says that a message is junk, as configured now. */
  junkHeader?: () => JunkHeader | undefined;
}>;

/** A content that can be stored. */
export type Finished = {
  readonly body: ReadyBody;
  /** Of the body as sent to a client without UTF8 (RFC 6856 §2). */
  readonly octetsDowngraded: number;
};

/** Above it a content goes to disk as it comes. */
export const MEMORY_OCTETS = 256 * 1024;
const FIRST_OCTETS = 16 * 1024;
/** Free in front of the content, so that the trace headers and the store's own head need no copy of it. */
const FRONT_OCTETS = BODY_HEAD_OCTETS + TRACE_OCTETS + 2;
const END = Buffer.from("\r\n");
const NOTHING = new Uint8Array(0);

/** Gives the port by which sessions open a sink for the content of a message. */
export function createContent(parts: ContentParts): SmtpPorts["openContent"] {
  return (expected, ready) => (parts.budget.take(FIRST_OCTETS) ? new Content(parts, expected, ready) : undefined);
}

/** One message's content on its way in: in memory while it is small and there is room, then on disk. */
export class Content implements ContentSink {
  octets = 0;
  dotted = false;
  readonly #parts: ContentParts;
  readonly #expected: number;
  readonly #ready: () => void;
  readonly #scan: HeaderScan;
  // What the budget has given for this content.
  #reserved = FIRST_OCTETS;
  // Made when the first octets come.
  #buffer = NOTHING;
  #capacity = 0;
  #spooling: Spooling | undefined;
  #lastTwo = 0;
  #ascii = true;
  // What is on disk is counted as it comes: it is not read again.
  #downgraded: DowngradedOctets | undefined;

  /** `expected` is what the client announced: it sizes the buffer, but only once octets come. */
  constructor(parts: ContentParts, expected: number, ready: () => void) {
    this.#parts = parts;
    this.#expected = expected;
    this.#ready = ready;
    this.#scan = new HeaderScan(parts.junkHeader?.());
  }

  get failure(): "full" | "failed" | undefined {
    return this.#spooling?.failure;
  }

  get header(): HeaderFacts {
    return this.#scan;
  }

  write(piece: Uint8Array): boolean {
    if (piece.length === 0) return true;
    this.#scan.push(piece);
    this.#noteEnd(piece);
    if (this.#ascii) this.#ascii = isAscii(piece);
    const after = this.octets + piece.length;
    if (!this.#spooling && !this.#fits(after)) this.#spill();
    const at = FRONT_OCTETS + this.octets;
    this.octets = after;
    if (this.#spooling) return this.#spool(piece, this.#spooling);
    this.#buffer.set(piece, at);
    return true;
  }

  /**
   * Puts `head` in front and gives the body that is stored; undefined when it could not be kept (see `failure`).
   * The content ends with CRLF whatever the client sent (BDAT may leave it out).
   */
  async finish(head: Uint8Array): Promise<Finished | undefined> {
    if (this.octets > 0 && this.#lastTwo !== 0x0d0a) this.#close();
    // Before the body goes to the store, and its buffer with it.
    const octetsDowngraded = downgradedOctets(head) + this.#contentDowngraded();
    const body = this.#spooling ? await this.#spooling.finish(head) : this.#inMemory(head);
    return body && { body, octetsDowngraded };
  }

  /** Gives back what it holds; harmless twice. */
  discard(): void {
    this.#parts.budget.give(this.#reserved);
    this.#reserved = 0;
    this.#spooling?.discard();
  }

  #noteEnd(piece: Uint8Array): void {
    const last = piece[piece.length - 1] as number;
    const before = piece.length > 1 ? (piece[piece.length - 2] as number) : this.#lastTwo & 0xff;
    this.#lastTwo = (before << 8) | last;
  }

  #spool(piece: Uint8Array, spooling: Spooling): boolean {
    this.#downgraded?.push(piece);
    return spooling.write(piece);
  }

  /** The content begins with a field or a blank line, so what is in front of it changes nothing in how it is read. */
  #contentDowngraded(): number {
    // What begins with neither is a body behind our own header, and a body goes as it is.
    if (this.#ascii || this.#scan.first === "text") return this.octets;
    if (this.#downgraded) return this.#downgraded.end();
    return downgradedOctets(this.#buffer.subarray(FRONT_OCTETS, FRONT_OCTETS + this.octets));
  }

  #close(): void {
    // Memory keeps room for it behind the content.
    if (this.#spooling) this.#spool(END, this.#spooling);
    else this.#buffer.set(END, FRONT_OCTETS + this.octets);
    this.octets += END.length;
  }

  /** Makes room in memory for so many octets; false: they have to go to disk. */
  #fits(octets: number): boolean {
    if (octets <= this.#capacity) return true;
    const capacity = octets > MEMORY_OCTETS ? 0 : this.#reserve(octets);
    if (capacity === 0) return false;
    const larger = new Uint8Array(this.#parts.bodies.buffer(FRONT_OCTETS + capacity + END.length));
    if (this.octets > 0) larger.set(this.#buffer.subarray(FRONT_OCTETS, FRONT_OCTETS + this.octets), FRONT_OCTETS);
    this.#buffer = larger;
    this.#capacity = capacity;
    return true;
  }

  /** How many octets the budget lets us hold: what was announced or twice the last, else what is needed, else 0. */
  #reserve(octets: number): number {
    const wished = Math.min(MEMORY_OCTETS, Math.max(octets, this.#expected, this.#capacity * 2, FIRST_OCTETS));
    for (const capacity of [wished, octets]) {
      if (capacity <= this.#reserved) return this.#reserved;
      if (!this.#parts.budget.takeMore(capacity - this.#reserved)) continue;
      this.#reserved = capacity;
      return capacity;
    }
    return 0;
  }

  #spill(): void {
    const sofar = this.#buffer.subarray(FRONT_OCTETS, FRONT_OCTETS + this.octets);
    this.#spooling = new Spooling(this.#parts.bodies, sofar, this.#ready);
    this.#downgraded = new DowngradedOctets();
    this.#downgraded.push(sofar);
    this.#buffer = NOTHING;
  }

  #inMemory(head: Uint8Array): ReadyBody {
    assert(head.length <= FRONT_OCTETS - BODY_HEAD_OCTETS, "the trace headers are longer than their room");
    // An empty content has no buffer yet; what it reserved when it was opened is enough.
    if (this.octets === 0) assert(this.#fits(1), "an opened content has its first room");
    const start = FRONT_OCTETS - head.length;
    this.#buffer.set(head, start);
    const body = this.#buffer.subarray(start, FRONT_OCTETS + this.octets);
    return {
      kind: "memory",
      buffer: this.#buffer.buffer,
      start,
      octets: body.length,
      crc32: crc32(body),
      sha256: hash("sha256", body, "buffer"),
      dotted: this.dotted,
    };
  }
}
