import type { Random } from "../e2e/harness/random.ts";

/** Something that is fuzzed: how its cases are made, tried and written down. */
export type Target<Case> = {
  readonly name: string;
  /** Reads a case as it lies in the corpus. */
  readonly read: (text: string) => Case;
  readonly write: (each: Case) => string;
  /** What it begins with, besides the corpus. */
  readonly seeds: () => readonly Case[];
  readonly mutate: (each: Case, other: Case, random: Random) => Case;
  /** Tries a case: throws where a rule is broken, and else tells what was seen, so that a new kind of it is noticed. */
  readonly attempt: (each: Case) => Iterable<string>;
  /** Cases with something less in them. */
  readonly smaller: (each: Case) => Iterable<Case>;
  /** A case that fails, for people to read. */
  readonly story: (each: Case) => string;
};

/** What a target did that its rules do not allow. */
export class BrokenRule extends Error {
  constructor(rule: string, what: string) {
    super(`${rule}: ${what}`);
    this.name = "BrokenRule";
  }
}

/** Throws unless the rule is kept. */
export function hold(kept: boolean, rule: string, what: () => string): asserts kept {
  if (!kept) throw new BrokenRule(rule, what());
}

/** Octets (latin1) for a message, with their length where they are cut. */
export function show(octets: string, most = 160): string {
  return octets.length <= most
    ? JSON.stringify(octets)
    : `${JSON.stringify(octets.slice(0, most))}… (${octets.length})`;
}
