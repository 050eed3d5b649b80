import { closeSync, openSync, readSync, writeSync } from "node:fs";
import path from "node:path";
import { buildLibrary, preload } from "./library.ts";

// Names and layout are those of faults.c, in the same order.
const calls = [
  "open",
  "create",
  "read",
  "write",
  "writev",
  "pwrite",
  "pwritev",
  "fsync",
  "fdatasync",
  "rename",
  "link",
  "unlink",
  "ftruncate",
] as const;
const places = [
  "database",
  "wal",
  "shm",
  "lock",
  "segment",
  "segments",
  "body",
  "bodies",
  "spool",
  "data",
  "other",
] as const;
const actions = { fail: 1, short: 2, block: 3, lose: 4 } as const;
const errors = { EIO: 5, ENOSPC: 28, EROFS: 30, EDQUOT: 122 } as const;
const MAGIC = 0x4b_4d_46_44;
const RULES = 8;
const RULE_INTEGERS = 16;
const HEAD_INTEGERS = 16;
const FIELDS = { on: 0, skip: 5, count: 6, fired: 7, waiting: 8 } as const;

/** A call that can be made to fail; "create": an open that makes the file where it is not there. */
export type Call = (typeof calls)[number];

/** Where in a data folder; "segments", "bodies" and "data" are the folders themselves. */
export type Place = (typeof places)[number];

export type ErrorName = keyof typeof errors;

/** Numbers by call and place. */
export type Seen = ReadonlyMap<string, number>;

/** What chosen calls meet. */
export type Fault = {
  readonly calls: readonly Call[];
  readonly places: readonly Place[];
  readonly what:
    | { readonly fail: ErrorName }
    /** Half of what was given is taken. */
    | "short"
    /** Waits so many milliseconds; "released": until the fault is taken away. */
    | { readonly block: number | "released" }
    /** Says that all was taken and writes nothing; the next sync of that file fails. */
    | "lose";
  /** So many are let through first. */
  readonly skip?: number;
  /** So many meet it; otherwise all, until it is taken away. */
  readonly count?: number;
};

/** A disk of one process that fails as it is told to, at any time: below it faults.c stands between Node and libc. */
export class Faults implements Disposable {
  /** For the environment of the process; its data must lie in the folder that was named. */
  readonly env: Readonly<Record<string, string>>;
  readonly #file: number;

  private constructor(file: number, env: Readonly<Record<string, string>>) {
    this.#file = file;
    this.env = env;
  }

  /** Compiles the library into `place`, for a process whose data lies in `data`. */
  static async build(stack: AsyncDisposableStack, place: string, data: string): Promise<Faults> {
    const library = await buildLibrary("faults.c", place);
    const control = path.join(place, "faults");
    const file = openSync(control, "w+");
    writeSync(file, new Int32Array(HEAD_INTEGERS + RULES * RULE_INTEGERS + calls.length * places.length));
    writeSync(file, Int32Array.of(MAGIC), 0, 4, 0);
    const faults = new Faults(file, { ...preload(library), FAULTS_CONTROL: control, FAULTS_FOLDER: data });
    stack.use(faults);
    return faults;
  }

  /** From now on; in place of the fault that had this number before. */
  set(fault: Fault, number = 0): void {
    const { what } = fault;
    this.clear(number);
    const kind = typeof what === "string" ? what : "fail" in what ? "fail" : "block";
    const fields = Int32Array.of(
      0,
      bits(calls, fault.calls),
      bits(places, fault.places),
      actions[kind],
      valueOf(what),
      fault.skip ?? 0,
      fault.count ?? -1,
      0,
    );
    writeSync(this.#file, fields, 0, fields.byteLength, octetOf(number, "on"));
    // Last: the process must not meet half a rule.
    this.#switch(number, 1);
  }

  /** Takes a fault away; who waits in it goes on. */
  clear(number = 0): void {
    this.#switch(number, 0);
  }

  /** How many calls met it since it was set. */
  fired(number = 0): number {
    return this.#integer(octetOf(number, "fired"));
  }

  /** How many calls wait in it now. */
  waiting(number = 0): number {
    return this.#integer(octetOf(number, "waiting"));
  }

  /** How often each call was made on each place since the beginning, whatever became of it. */
  snapshot(): Seen {
    const seen = new Int32Array(calls.length * places.length);
    readSync(this.#file, seen, 0, seen.byteLength, 4 * (HEAD_INTEGERS + RULES * RULE_INTEGERS));
    return new Map(
      calls.flatMap((call, row) =>
        places.map((place, column) => [`${call} ${place}`, seen[row * places.length + column] ?? 0] as const),
      ),
    );
  }

  [Symbol.dispose](): void {
    closeSync(this.#file);
  }

  #switch(number: number, value: 0 | 1): void {
    writeSync(this.#file, Int32Array.of(value), 0, 4, octetOf(number, "on"));
  }

  #integer(octet: number): number {
    const found = new Int32Array(1);
    readSync(this.#file, found, 0, 4, octet);
    return found[0] ?? 0;
  }
}

/** How many of the calls that a fault is for were made between two snapshots. */
export function madeBetween({ calls: made, places: where }: Fault, before: Seen, after: Seen): number {
  const names = made.flatMap((call) => where.map((place) => `${call} ${place}`));
  return names.reduce((sum, name) => sum + (after.get(name) ?? 0) - (before.get(name) ?? 0), 0);
}

function octetOf(rule: number, field: keyof typeof FIELDS): number {
  return 4 * (HEAD_INTEGERS + rule * RULE_INTEGERS + FIELDS[field]);
}

function bits(names: readonly string[], chosen: readonly string[]): number {
  return chosen.reduce((sum, name) => sum | (1 << names.indexOf(name)), 0);
}

function valueOf(what: Fault["what"]): number {
  if (typeof what === "string") return 0;
  if ("fail" in what) return errors[what.fail];
  return what.block === "released" ? -1 : what.block;
}
