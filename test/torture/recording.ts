import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { KINDS, type Kind } from "./calls.ts";

/** One call that a process made, as record.c wrote it down. */
export type Call = {
  /** Where its record begins and ends in the recording: the time of these runs. */
  readonly from: number;
  readonly to: number;
  readonly kind: Kind;
  readonly path: string;
  /** What a file is renamed to. */
  readonly other: string;
  /** Names one opening of a file, across all processes. */
  readonly opening: string;
  /** Of a write; of a truncation, the octets that are left. */
  readonly offset: number;
  readonly truncates: boolean;
  readonly data: Buffer;
};

const HEAD_OCTETS = 40;
const O_TRUNC = 0o1000;

/** The calls of a recording, in the order in which they took effect. */
export function* readRecording(file: string): Generator<Call> {
  const descriptor = openSync(file, "r");
  try {
    const end = fstatSync(descriptor).size;
    for (let from = 0; from < end;) {
      const head = read(descriptor, from, HEAD_OCTETS);
      const to = from + head.readUInt32LE(0);
      // Who was killed while it wrote left no whole record.
      if (to > end) return;
      yield parse(head, read(descriptor, from + HEAD_OCTETS, to - from - HEAD_OCTETS), from, to);
      from = to;
    }
  } finally {
    closeSync(descriptor);
  }
}

function parse(head: Buffer, rest: Buffer, from: number, to: number): Call {
  const kind = KINDS[head.readUInt32LE(4)];
  if (kind === undefined) throw new Error(`no such kind of call at ${from}`);
  const pathEnd = head.readUInt32LE(28);
  const otherEnd = pathEnd + head.readUInt32LE(32);
  return {
    from,
    to,
    kind,
    path: rest.toString("utf8", 0, pathEnd),
    other: rest.toString("utf8", pathEnd, otherEnd),
    opening: `${head.readUInt32LE(8)}.${head.readUInt32LE(12)}`,
    offset: Number(head.readBigUInt64LE(16)),
    truncates: (head.readUInt32LE(24) & O_TRUNC) !== 0,
    data: rest.subarray(otherEnd),
  };
}

function read(descriptor: number, at: number, octets: number): Buffer {
  const buffer = Buffer.allocUnsafe(octets);
  for (let done = 0; done < octets;) {
    const got = readSync(descriptor, buffer, done, octets - done, at + done);
    if (got === 0) return buffer.subarray(0, done);
    done += got;
  }
  return buffer;
}
