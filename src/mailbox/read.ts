import { crc32 } from "node:zlib";
import type { MailboxId, Uid } from "../model/ids.ts";
import type { MessageReader } from "../model/message-reader.ts";
import { type Bodies, type BodyFile, type BodyPlace, type Mail, StoreError } from "../store/ports.ts";
import type { DiskPace } from "./disk-pace.ts";
import { LARGE_OCTETS, type ReadPool } from "./read-pool.ts";

/** What all readers of a thread share. */
export type ReadParts = {
  readonly mail: Pick<Mail, "locate">;
  readonly bodies: Pick<Bodies, "open">;
  readonly pool: ReadPool;
  readonly pace: DiskPace;
};

/** Which message, and who is told when it cannot be read as it was delivered. */
export type ReadTask = {
  readonly mailbox: MailboxId;
  readonly uid: Uid;
  /** As the listing has it; for who asks before the row was found. */
  readonly octets: number;
  readonly damaged: (reason: string) => void;
  readonly failed: (reason: string) => void;
};

type End = "end" | "damaged" | "gone" | "failed";

/** Opens a reader. Nothing is read before it is asked. */
export function openReader(parts: ReadParts, task: ReadTask): MessageReader {
  return new StoredReader(parts, task);
}

class StoredReader implements MessageReader {
  readonly #parts: ReadParts;
  readonly #task: ReadTask;
  #place: BodyPlace | undefined;
  #located = 0;
  #file: BodyFile | undefined;
  #buffer: Buffer | undefined;
  /** Octets of the message that were read, and their checksum so far. */
  #position = 0;
  #crc = 0;
  /** A piece that was read while the caller waited. */
  #piece: Buffer | undefined;
  #ready: (() => void) | undefined;
  #end: End | undefined;
  #closed = false;

  constructor(parts: ReadParts, task: ReadTask) {
    this.#parts = parts;
    this.#task = task;
  }

  get octets(): number {
    return this.#place?.octets ?? this.#task.octets;
  }

  get dotted(): boolean {
    return this.#place?.dotted ?? true;
  }

  next(ready: () => void): Uint8Array | "later" | End {
    if (this.#ready) {
      this.#ready = ready;
      return "later";
    }
    const piece = this.#piece;
    if (piece) {
      this.#piece = undefined;
      return piece;
    }
    if (this.#end) return this.#end;
    try {
      return this.#advance(ready) ?? this.#end ?? "failed";
    } catch (error) {
      this.#failed(error);
      return this.#end ?? "failed";
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#end ??= "end";
    // A read in progress still writes into the buffer; it is given back when that has ended.
    if (!this.#ready) this.#release();
  }

  #advance(ready: () => void): Uint8Array | "later" | undefined {
    if (!this.#place) return this.#wait(ready, this.#locate());
    this.#file ??= this.#open(this.#place);
    // Not there: to be looked up once more, or the end has been set.
    if (!this.#file) return this.#end ? undefined : this.#wait(ready, this.#locate());
    const { octets } = this.#place;
    if (this.#position === octets) {
      this.#end = "end";
      return undefined;
    }
    this.#buffer ??= this.#parts.pool.take(octets);
    if (octets <= LARGE_OCTETS && this.#parts.pace.isQuick()) return this.#readNow(this.#file, this.#buffer, octets);
    return this.#wait(ready, this.#readLater(this.#file, this.#buffer, octets));
  }

  // ── Finding the octets ──

  async #locate(): Promise<void> {
    this.#located += 1;
    this.#place = (await this.#parts.mail.locate(this.#task.mailbox, this.#task.uid))?.place;
    if (!this.#place) this.#end ??= "gone";
  }

  #open(place: BodyPlace): BodyFile | undefined {
    const file = this.#parts.bodies.open(place);
    // Reclaim may have moved it since the row was read; but a row that still names what is not there is damage.
    if (!file && this.#located > 1) return this.#damaged("its body is missing");
    return file;
  }

  // ── Reading ──

  #readNow(file: BodyFile, buffer: Buffer, octets: number): Buffer | undefined {
    const wanted = Math.min(buffer.length, octets - this.#position);
    let filled = 0;
    while (filled < wanted) {
      const target = buffer.subarray(filled, wanted);
      const read = this.#parts.pace.timed(() => file.readSync(target, this.#position + filled));
      if (read === 0) break;
      filled += read;
    }
    return this.#checked(buffer.subarray(0, filled), wanted, octets);
  }

  async #readLater(file: BodyFile, buffer: Buffer, octets: number): Promise<void> {
    const wanted = Math.min(buffer.length, octets - this.#position);
    let filled = 0;
    while (filled < wanted && !this.#closed) {
      const read = await file.read(buffer.subarray(filled, wanted), this.#position + filled);
      if (read === 0) break;
      filled += read;
    }
    if (!this.#closed) this.#piece = this.#checked(buffer.subarray(0, filled), wanted, octets);
  }

  /** The last piece is held back when the whole is not what was delivered. */
  #checked(piece: Buffer, wanted: number, octets: number): Buffer | undefined {
    if (piece.length < wanted) return this.#damaged(`it ends after ${this.#position + piece.length} octets`);
    this.#position += wanted;
    this.#crc = crc32(piece, this.#crc);
    if (this.#position === octets && this.#crc !== this.#place?.crc32) return this.#damaged("its checksum is wrong");
    return piece;
  }

  // ── Ends ──

  #wait(ready: () => void, work: Promise<void>): "later" {
    this.#ready = ready;
    void this.#settle(work);
    return "later";
  }

  async #settle(work: Promise<void>): Promise<void> {
    try {
      await work;
    } catch (error) {
      this.#failed(error);
    }
    const ready = this.#ready;
    this.#ready = undefined;
    if (this.#closed) this.#release();
    else ready?.();
  }

  #failed(error: unknown): void {
    const reason = error instanceof Error ? error.message : "unknown";
    if (error instanceof StoreError && error.kind === "damaged") this.#damaged(reason);
    else if (!this.#closed) {
      this.#end = "failed";
      this.#task.failed(reason);
    }
  }

  #damaged(reason: string): undefined {
    if (this.#closed) return;
    this.#end = "damaged";
    this.#task.damaged(reason);
  }

  #release(): void {
    if (this.#buffer) this.#parts.pool.give(this.#buffer);
    this.#buffer = undefined;
    this.#piece = undefined;
    this.#file?.close();
    this.#file = undefined;
  }
}
