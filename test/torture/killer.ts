import { closeSync, openSync, readFileSync, writeFileSync, writeSync } from "node:fs";
import { KINDS, type Kind } from "./calls.ts";
import { preload } from "./library.ts";

/** The places that killer.c tells apart, in its order. */
const PLACES = ["database", "log", "segment", "segments", "body", "files", "spool", "other"] as const;
type Place = (typeof PLACES)[number];

/** Which calls of the server are meant. */
export type Aim = { readonly kinds: readonly Kind[]; readonly places: readonly Place[] };

/** Before the call takes effect, after it, or when half of what it writes is in the file. */
const WHEN = ["before", "half", "after"] as const;
export type When = (typeof WHEN)[number];

// The words of the control file: left, kinds, places, when, died, kind, place.
const WORDS = 7;
const DIED = 4;

/** Lets a process that loads killer.c kill itself at a chosen call, from then on when it is chosen. */
export class Killer {
  readonly #file: string;
  readonly #library: string;

  constructor(library: string, file: string) {
    this.#library = library;
    this.#file = file;
    this.disarm();
  }

  /** What the process is to be started with; `folder`: of which calls count. */
  environment(folder: string): Readonly<Record<string, string>> {
    return { ...preload(this.#library), TORTURE_FOLDER: folder, TORTURE_CONTROL: this.#file };
  }

  /** Chooses the call behind the next `skip` of its kind. */
  arm({ kinds, places }: Aim, skip: number, when: When): void {
    this.disarm();
    const aim = [-1, bits(KINDS, kinds), bits(PLACES, places), WHEN.indexOf(when), 0, 0, 0];
    this.#write(aim);
    this.#write([skip]);
  }

  /** Chooses nothing, and forgets who died. */
  disarm(): void {
    this.#write([-1]);
    this.#write([-1, ...Array.from({ length: WORDS - 1 }, () => 0)]);
  }

  /** Whether the process has killed itself: true before anybody can see that it is gone. */
  get struck(): boolean {
    return readFileSync(this.#file).readInt32LE(4 * DIED) === 1;
  }

  // In place, for the process looks at it through memory.
  #write(words: readonly number[]): void {
    const octets = Buffer.from(Int32Array.from(words).buffer);
    writeFileSync(this.#file, "", { flag: "a" });
    const file = openSync(this.#file, "r+");
    writeSync(file, octets, 0, octets.length, 0);
    closeSync(file);
  }
}

function bits<T>(all: readonly T[], chosen: readonly T[]): number {
  return chosen.reduce((sum, one) => sum | (1 << all.indexOf(one)), 0);
}
