const SMALLEST = 4096;
const MOST_OCTETS = 4 * 1024 * 1024;

/** Buffers for bodies, used again when they come back from the store thread: making one zeroes it and feeds the collector. */
export class BufferPool {
  readonly #free = new Map<number, ArrayBuffer[]>();
  #octets = 0;

  /** A buffer of at least so many octets; its content is whatever was there. */
  take(octets: number): ArrayBuffer {
    const size = sizeFor(octets);
    const buffer = this.#free.get(size)?.pop();
    if (buffer === undefined) return new ArrayBuffer(size);
    this.#octets -= size;
    return buffer;
  }

  /** Gives one back. One of another size than take() gives is let go. */
  give(buffer: ArrayBuffer): void {
    const size = buffer.byteLength;
    if (size !== sizeFor(size) || this.#octets + size > MOST_OCTETS) return;
    const free = this.#free.get(size);
    if (free === undefined) this.#free.set(size, [buffer]);
    else free.push(buffer);
    this.#octets += size;
  }
}

function sizeFor(octets: number): number {
  let size = SMALLEST;
  while (size < octets) size *= 2;
  return size;
}
