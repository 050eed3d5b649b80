import { Drive } from "../net/drive.ts";

// A read smaller than this is not worth the call.
const WORTH_OCTETS = 8 * 1024;

/**
 * A drive for input that may be large: frees the memory of a read as soon as all of it was dealt with. Left to the
 * garbage collector, a message of 50 MiB raises the process by about as much, for it sees no reason to run.
 */
export class ContentDrive extends Drive {
  override data(octets: Buffer): void {
    super.data(octets);
    // Sinks copy what they are given and lines are copies too, so nobody looks at these octets any more.
    if (this.behind === 0) free(octets);
  }
}

/** Only a read that has its buffer to itself is freed: small ones share theirs with others. */
function free(octets: Buffer): void {
  const { buffer } = octets;
  if (octets.length < WORTH_OCTETS || buffer.byteLength !== octets.length) return;
  if (buffer instanceof ArrayBuffer) buffer.transfer(0);
}
