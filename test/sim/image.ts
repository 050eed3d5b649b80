/** Octets of a file that grows; behind its end there are zeros only. */
export class Image {
  #octets = new Uint8Array(0);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  write(at: number, octets: Uint8Array): void {
    const end = at + octets.byteLength;
    this.#reserve(end);
    this.#octets.set(octets, at);
    this.#size = Math.max(this.#size, end);
  }

  resize(size: number): void {
    this.#reserve(size);
    if (size < this.#size) this.#octets.fill(0, size, this.#size);
    this.#size = size;
  }

  /** Copies octets from there on, and gives how many there were. */
  read(at: number, target: Uint8Array): number {
    const octets = Math.max(0, Math.min(target.byteLength, this.#size - at));
    target.set(this.#octets.subarray(at, at + octets));
    return octets;
  }

  /** A view that holds until the next change. */
  view(from = 0, to: number = this.#size): Uint8Array {
    return this.#octets.subarray(from, Math.min(to, this.#size));
  }

  copy(): Image {
    const image = new Image();
    image.write(0, this.view());
    return image;
  }

  #reserve(size: number): void {
    if (size <= this.#octets.byteLength) return;
    const larger = new Uint8Array(Math.max(size, this.#octets.byteLength * 2, 4096));
    larger.set(this.#octets);
    this.#octets = larger;
  }
}
