import { setImmediate } from "node:timers/promises";
import { crc32 } from "node:zlib";
import { BODY_HEAD_OCTETS } from "../model/body.ts";
import type { Uid } from "../model/ids.ts";
import { type MessageReader, PIECE_ROOM } from "../model/message-reader.ts";
import {
  type Bodies,
  type BodyFile,
  type BodyPlace,
  type OctetsAs,
  StoreError,
  type StoredMessage,
} from "../store/ports.ts";
import { Conversion } from "./conversion.ts";
import type { DiskPace } from "./disk-pace.ts";
import type { Places } from "./places.ts";
import { capacityOf, LARGE_OCTETS, type ReadPool } from "./read-pool.ts";

/** What all readers of a thread share. */
export type ReadParts = {
  readonly bodies: Pick<Bodies, "open">;
  readonly pool: ReadPool;
  readonly pace: DiskPace;
};

/** Which message, and who is told when it cannot be read as it was delivered. */
export type ReadTask = {
  readonly uid: Uid;
  readonly places: Places;
  /** As the listing has it; for who asks before the row was found. */
  readonly octets: number;
  /** Whether the client takes messages as they are stored, or down-converted where they hold what it could not read. */
  readonly octetsAs: OctetsAs;
  readonly watch: ReadWatch;
};

/** Is told of messages that cannot be read. */
export type ReadWatch = {
  damaged(uid: Uid, reason: string): void;
  failed(uid: Uid, reason: string): void;
};

/** Where pieces begin in their buffers. */
const START = PIECE_ROOM.before;

type End = "end" | "damaged" | "gone" | "failed";

/** Opens a reader. Nothing is read before it is asked. */
export function openReader(parts: ReadParts, task: ReadTask): MessageReader {
  return new StoredReader(parts, task);
}

class StoredReader implements MessageReader {
  readonly #parts: ReadParts;
  readonly #task: ReadTask;
  #place: BodyPlace | undefined;
  // Of a message that does not go out as it is stored.
  #conversion: Conversion | undefined;
  // Whether its body was looked for already.
  #sought = false;
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
    return this.#conversion?.octets ?? this.#place?.octets ?? this.#task.octets;
  }

  get dotted(): boolean {
    return this.#conversion !== undefined || (this.#place?.dotted ?? true);
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
    try {
      // Where octets were read that gave none for the client yet, more are read.
      for (;;) {
        if (this.#end) return this.#end;
        const next = this.#converted() ?? this.#advance(ready);
        if (next) return next;
      }
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
    if (!this.#place) this.#found(this.#task.places.known(this.#task.uid));
    if (!this.#place) return this.#wait(ready, this.#locate());
    this.#file ??= this.#open(this.#place);
    // Not there: to be looked up once more, or the end has been set.
    if (!this.#file) return this.#end ? undefined : this.#wait(ready, this.#locate());
    const { octets } = this.#place;
    if (this.#position === octets) return this.#finish(octets);
    this.#buffer ??= this.#parts.pool.take(octets);
    if (!this.#parts.pace.isQuick()) return this.#wait(ready, this.#readLater(this.#file, this.#buffer, octets));
    if (octets <= LARGE_OCTETS) return this.#readNow(this.#file, this.#buffer, octets);
    return this.#wait(ready, this.#readNext(this.#file, this.#buffer, octets));
  }

  // ── Finding the octets ──

  async #locate(): Promise<void> {
    this.#found(await this.#task.places.find(this.#task.uid));
    if (!this.#place) this.#end ??= "gone";
  }

  #found(message: StoredMessage | undefined): void {
    this.#place = message?.place;
    if (!message || this.#task.octetsAs === "stored" || message.octetsDowngraded === message.place.octets) return;
    // Looked up once more: what had been converted stays.
    this.#conversion ??= new Conversion(message.octetsDowngraded);
  }

  #open(place: BodyPlace): BodyFile | undefined {
    const file = this.#parts.bodies.open(place);
    // Reclaim may have moved it since the row was read; but a row that still names what is not there is damage.
    if (!file && this.#sought) return this.#damaged("its body is missing");
    this.#sought = true;
    return file;
  }

  // ── Reading ──

  #readNow(file: BodyFile, buffer: Buffer, octets: number): Buffer | undefined {
    const { pace } = this.#parts;
    const wanted = Math.min(capacityOf(buffer), octets - this.#position);
    const end = START + wanted;
    let at = this.#begin();
    while (at < end) {
      const started = pace.now();
      const read = file.readSync(buffer.subarray(at, end), this.#position + at - START);
      pace.note(started);
      if (read === 0) break;
      at += read;
    }
    return this.#checked(buffer, at, wanted, octets);
  }

  /** One piece of many: the other sessions have their turn before it, however fast this client reads. */
  async #readNext(file: BodyFile, buffer: Buffer, octets: number): Promise<void> {
    await setImmediate();
    if (!this.#closed) this.#piece = this.#readNow(file, buffer, octets);
  }

  async #readLater(file: BodyFile, buffer: Buffer, octets: number): Promise<void> {
    const wanted = Math.min(capacityOf(buffer), octets - this.#position);
    const end = START + wanted;
    let at = this.#begin();
    while (at < end && !this.#closed) {
      const read = await file.read(buffer.subarray(at, end), this.#position + at - START);
      if (read === 0) break;
      at += read;
    }
    if (!this.#closed) this.#piece = this.#checked(buffer, at, wanted, octets);
  }

  /** Where in the buffer the next octets go: the head comes along with the first ones, and is checked with them. */
  #begin(): number {
    return this.#position === 0 ? START - BODY_HEAD_OCTETS : START;
  }

  /** The last piece is held back when the whole is not what was delivered. */
  #checked(buffer: Buffer, end: number, wanted: number, octets: number): Buffer | undefined {
    const piece = buffer.subarray(START, end);
    if (piece.length < wanted) return this.#damaged(`it ends after ${this.#position + piece.length} octets`);
    this.#position += wanted;
    this.#crc = crc32(piece, this.#crc);
    const last = this.#position === octets;
    if (last && this.#crc !== this.#place?.crc32) return this.#damaged("its checksum is wrong");
    if (!this.#conversion) return piece;
    if (!this.#conversion.take(piece, last)) return this.#damaged("it converts to other octets than were reckoned");
    return this.#converted();
  }

  /** The next piece of what was read and converted; undefined: there is none yet, or nothing is converted. */
  #converted(): Buffer | undefined {
    const buffer = this.#buffer;
    if (!this.#conversion || !buffer) return undefined;
    const room = buffer.subarray(START, START + capacityOf(buffer));
    const length = this.#conversion.give(room);
    return length === 0 ? undefined : buffer.subarray(START, START + length);
  }

  #finish(octets: number): undefined {
    this.#end = "end";
    // Where nothing was read nothing was judged.
    if (octets === 0 && this.#conversion?.take(Buffer.alloc(0), true) === false) this.#damaged("it cannot be empty");
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
      this.#task.watch.failed(this.#task.uid, reason);
    }
  }

  #damaged(reason: string): undefined {
    if (this.#closed) return;
    this.#end = "damaged";
    this.#task.watch.damaged(this.#task.uid, reason);
  }

  #release(): void {
    if (this.#buffer) this.#parts.pool.give(this.#buffer);
    this.#buffer = undefined;
    this.#piece = undefined;
    this.#file?.close();
    this.#file = undefined;
  }
}
