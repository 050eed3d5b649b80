import type { ReadyBody } from "../model/body.ts";
import { type Bodies, type Spool, StoreError } from "../store/ports.ts";

/** Octets that may wait for the disk before the client is asked to wait too. */
const WINDOW_OCTETS = 256 * 1024;
/** One write to the disk. */
const CHUNK_OCTETS = 64 * 1024;

/**
 * The large half of a content: gathers small pieces into writes of one size, keeps one write in flight, and says when the
 * disk falls behind. A disk that fails stops it for good; what comes after that is dropped.
 */
export class Spooling {
  failure: "full" | "failed" | undefined;
  readonly #bodies: Pick<Bodies, "spool">;
  readonly #ready: () => void;
  readonly #waiting: Uint8Array[] = [];
  // Chunks that were written; a large message would otherwise leave its own size behind as garbage.
  readonly #free: Uint8Array[] = [];
  #chunk: Uint8Array = new Uint8Array(CHUNK_OCTETS);
  #filled = 0;
  #unwritten = 0;
  #paused = false;
  #discarded = false;
  #spool: Spool | undefined;
  #pump: Promise<void> | undefined;

  /** `first`: what came before, which the spooling may keep until it is written. */
  constructor(bodies: Pick<Bodies, "spool">, first: Uint8Array, ready: () => void) {
    this.#bodies = bodies;
    this.#ready = ready;
    this.#enqueue(first);
  }

  /** Copies the piece. false: the disk is behind, and `ready` will say when it no longer is. */
  write(piece: Uint8Array): boolean {
    if (this.failure) return true;
    this.#unwritten += piece.length;
    for (let at = 0; at < piece.length;) {
      const part = piece.subarray(at, at + CHUNK_OCTETS - this.#filled);
      this.#chunk.set(part, this.#filled);
      this.#filled += part.length;
      at += part.length;
      if (this.#filled === CHUNK_OCTETS) this.#flush();
    }
    this.#paused = this.#unwritten > WINDOW_OCTETS;
    return !this.#paused;
  }

  /** Writes what is left and the head, and gives the body; undefined when the disk failed (see `failure`). */
  async finish(head: Uint8Array): Promise<ReadyBody | undefined> {
    if (this.#filled > 0) this.#flush();
    await this.#pump;
    if (this.failure || !this.#spool) return undefined;
    try {
      return await this.#spool.finish(head);
    } catch (cause) {
      this.#fail(cause);
      return undefined;
    }
  }

  /** Removes the spool file, now or when the write in flight has ended; harmless twice. */
  discard(): void {
    if (this.#discarded) return;
    this.#discarded = true;
    this.#waiting.length = 0;
    void this.#remove(this.#pump);
  }

  #flush(): void {
    const full = this.#chunk.subarray(0, this.#filled);
    this.#chunk = this.#free.pop() ?? new Uint8Array(CHUNK_OCTETS);
    this.#filled = 0;
    this.#waiting.push(full);
    this.#pump ??= this.#run();
  }

  #enqueue(first: Uint8Array): void {
    this.#unwritten += first.length;
    this.#waiting.push(first);
    this.#pump ??= this.#run();
  }

  /** The only place that writes; ends when nothing waits. Never rejects. */
  async #run(): Promise<void> {
    try {
      this.#spool ??= await this.#bodies.spool();
      for (let piece = this.#waiting.shift(); piece; piece = this.#waiting.shift()) {
        await this.#spool.write(piece);
        this.#unwritten -= piece.length;
        if (piece.length === CHUNK_OCTETS) this.#free.push(piece);
        this.#resume();
      }
    } catch (cause) {
      this.#fail(cause);
    }
    this.#pump = undefined;
  }

  #resume(): void {
    if (!this.#paused || this.#unwritten > WINDOW_OCTETS / 2) return;
    this.#paused = false;
    this.#ready();
  }

  #fail(cause: unknown): void {
    this.failure = reasonOf(cause);
    this.#waiting.length = 0;
    this.#unwritten = 0;
    this.#resume();
  }

  async #remove(pump: Promise<void> | undefined): Promise<void> {
    await pump;
    try {
      await this.#spool?.discard();
    } catch (cause) {
      // The file stays as garbage that no row covers, which reclaim removes (DESIGN "Crash"); the answer to the client
      // does not depend on it.
      this.failure ??= reasonOf(cause);
    }
  }
}

function reasonOf(cause: unknown): "full" | "failed" {
  return cause instanceof StoreError && cause.full ? "full" : "failed";
}
