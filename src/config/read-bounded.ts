import { closeSync, openSync, readSync } from "node:fs";

/** Reads a file of so many octets at most; undefined: it is larger. Throws what the system says. */
export function readBounded(file: string, most: number): Uint8Array | undefined {
  const octets = new Uint8Array(most + 1);
  const descriptor = openSync(file, "r");
  try {
    let filled = 0;
    for (let read = -1; read !== 0 && filled < octets.length; filled += read) {
      read = readSync(descriptor, octets, filled, octets.length - filled, null);
    }
    return filled > most ? undefined : octets.subarray(0, filled);
  } finally {
    closeSync(descriptor);
  }
}
