import type { Disk } from "../../src/store/disk.ts";

/** What the world hears of a process on a machine, and decides for it. */
export type Hooks = {
  /** Called before every verb of disk and rows takes effect; may throw to end the process there. */
  readonly step: (what: string) => void;
  /** Gives the result of an asynchronous verb later, as the world's scheduler decides. */
  readonly later: <T>(work: () => T) => Promise<T>;
};

/** A verb of the disk by its name, or one of the rows. */
export type Verb =
  | keyof Disk
  | "rows.open"
  | "rows.rewrite"
  | "rows.begin"
  | "rows.commit"
  | "rows.rollback"
  | "rows.run"
  | "rows.query"
  | "rows.settle"
  | "rows.read";

/**
 * How a verb fails. "io" and "full": nothing happened. With `after`, a share of its work was done (0 to 1): so many octets
 * of a write, so many sectors of what a sync had to write; anything else is done when it is 1. `short`: a read that gives
 * this share of the octets, at least one, and no error. "sync", of a commit or of settling: its sync failed; the rows of
 * the commit are gone for this process and may come back in the next. Elsewhere that is "io". "rot": a read of the disk
 * gives one bit wrong, the rows are found damaged; elsewhere nothing happens.
 */
export type Fault =
  | "io"
  | "full"
  | "sync"
  | "rot"
  | { readonly error: "io" | "full"; readonly after: number }
  | { readonly short: number };

/** Decides for each verb whether it fails, and how. `path`: of a file, or the name of a statement. */
export type Faults = (verb: Verb, path: string) => Fault | undefined;

/** Thrown by what a dead process still tries; what it would have awaited never comes. */
export class ProcessEnded extends Error {
  constructor() {
    super("the process has ended");
    this.name = "ProcessEnded";
  }
}

/** One life of the program on a machine. */
export class Process {
  readonly hooks: Hooks;
  readonly #faults: () => Faults | undefined;
  alive = true;

  constructor(hooks: Hooks, faults: () => Faults | undefined) {
    this.hooks = hooks;
    this.#faults = faults;
  }

  /** Every verb begins here. */
  enter(verb: Verb, path: string): Fault | undefined {
    if (!this.alive) throw new ProcessEnded();
    this.hooks.step(`${verb} ${path}`);
    if (!this.alive) throw new ProcessEnded();
    return this.#faults()?.(verb, path);
  }
}

/** Never settles: what is awaited of a process that is dead. */
export function never<T>(): Promise<T> {
  return new Promise(() => undefined);
}
