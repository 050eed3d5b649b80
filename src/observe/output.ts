import { closeSync, constants, fstatSync, openSync, write, writeSync } from "node:fs";

/** Where finished text goes. */
export type Output = {
  /** Whose colours lines for people may have. */
  readonly terminal: NodeJS.WritableStream;
  /** Writes some of it without blocking and tells how many octets were taken; 0: none now, ask later. */
  write(octets: Uint8Array, taken: (octets: number) => void): void;
  /** Writes it now, waiting a bounded time: the last words of a process. */
  writeNow(octets: Uint8Array): void;
  close(): void;
};

const LAST_WORDS_MS = 1000;
const PAUSE_MS = 5;

/**
 * Standard output (1) or standard error (2). A pipe is opened a second time without blocking where the kernel lets us:
 * its reader may stop reading, and a blocked write would hold a thread of the pool, and the process's exit, for ever.
 */
export function descriptorOutput(descriptor: 1 | 2): Output {
  const terminal = descriptor === 2 ? process.stderr : process.stdout;
  const pipe = openNonBlocking(descriptor);
  if (pipe === undefined) {
    return {
      terminal,
      write: (octets, taken) => {
        write(descriptor, octets, (error, count) => taken(error === null ? count : takenInSpite(error, octets)));
      },
      writeNow: (octets) => writeNow(descriptor, octets),
      close: () => undefined,
    };
  }
  return {
    terminal,
    write: (octets, taken) => taken(writeOnce(pipe, octets)),
    writeNow: (octets) => writeNow(pipe, octets),
    close: () => closeSync(pipe),
  };
}

function openNonBlocking(descriptor: number): number | undefined {
  try {
    if (!fstatSync(descriptor).isFIFO()) return undefined;
    return openSync(`/proc/self/fd/${descriptor}`, constants.O_WRONLY | constants.O_NONBLOCK);
  } catch {
    return undefined;
  }
}

function writeNow(descriptor: number, octets: Uint8Array): void {
  const pause = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  let left = octets;
  for (let waitedMs = 0; left.length > 0 && waitedMs < LAST_WORDS_MS;) {
    const count = writeOnce(descriptor, left);
    left = left.subarray(count);
    if (count > 0) continue;
    Atomics.wait(pause, 0, 0, PAUSE_MS);
    waitedMs += PAUSE_MS;
  }
}

function writeOnce(descriptor: number, octets: Uint8Array): number {
  try {
    return writeSync(descriptor, octets);
  } catch (error) {
    return takenInSpite(error as NodeJS.ErrnoException, octets);
  }
}

/** A full pipe takes nothing now. Any other error (EPIPE: the reader is gone) means that nobody will ever read it. */
function takenInSpite(error: NodeJS.ErrnoException, octets: Uint8Array): number {
  return error.code === "EAGAIN" ? 0 : octets.length;
}
