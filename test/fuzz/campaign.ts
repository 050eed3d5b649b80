import { Random } from "../e2e/harness/random.ts";
import { readCorpus } from "./corpus.ts";
import type { Target } from "./target.ts";
import { guard, Hang } from "./watchdog.ts";

/** A case that breaks a rule, made small. */
export type Finding<Case> = { readonly each: Case; readonly failure: Error; readonly file?: string };

type Trial<Case> = { readonly each: Case; readonly isParent: boolean; readonly file?: string };

// A case takes a millisecond or two, and so a batch less than a second.
const HANG_SECONDS = 20;
const BATCH = 200;
const SMALLER_TRIES = 3000;
const SMALLER_SECONDS = 15;
const MOST_FINDINGS = 8;
const MOST_POPULATION = 4000;
// What one run adds to the corpus, where it may.
const MOST_COVER = 30;
const MOST_COVER_OCTETS = 1500;

/** Mutates the cases of one target, and keeps for further mutation what shows something new. */
export class Campaign<Case> {
  readonly target: Target<Case>;
  readonly findings: Finding<Case>[] = [];
  executions = 0;
  readonly #random: Random;
  readonly #population: Case[] = [];
  readonly #kept: { readonly each: Case; readonly seen: readonly string[] }[] = [];
  readonly #seen = new Set<string>();
  readonly #failed: Finding<Case>[] = [];

  constructor(target: Target<Case>, seed: number) {
    this.target = target;
    // Each target has a sequence of its own, whichever of them run.
    this.#random = new Random(
      target.name.split("").reduce((sum, letter) => Math.imul(sum, 31) + letter.charCodeAt(0), seed),
    );
  }

  /** New kinds of behaviour that were seen. */
  get kinds(): number {
    return this.#seen.size;
  }

  get done(): boolean {
    return this.findings.length >= MOST_FINDINGS;
  }

  /** Tries what is kept, and what the target begins with. */
  begin(): void {
    this.#tryAll(this.target.seeds().length, (at) => ({ each: this.target.seeds()[at] as Case, isParent: true }));
    const kept = readCorpus(this.target);
    this.#tryAll(kept.length, (at) => {
      const { each, isFinding, file } = kept[at] as (typeof kept)[number];
      return { each, isParent: !isFinding, file };
    });
  }

  /** Tries a batch of mutated cases. */
  batch(): void {
    this.#tryAll(BATCH, () => ({
      each: this.target.mutate(this.#parent(), this.#parent(), this.#random),
      isParent: false,
    }));
  }

  /** Of the cases that showed something new, the small ones that showed most. */
  cover(): Case[] {
    const sized = this.#kept.map(({ each, seen }) => ({ each, seen, size: this.target.write(each).length }));
    return sized
      .filter(({ size }) => size <= MOST_COVER_OCTETS)
      .toSorted((a, b) => b.seen.length / b.size - a.seen.length / a.size)
      .slice(0, MOST_COVER)
      .map(({ each }) => each);
  }

  #parent(): Case {
    const { length } = this.#population;
    // What came last shows what is new.
    const from = this.#random.between(0, 1) === 0 ? Math.max(0, length - 50) : 0;
    const parent = this.#population[this.#random.between(from, length - 1)];
    if (parent === undefined) throw new Error(`${this.target.name} has nothing to begin with`);
    return parent;
  }

  // One watchdog for all of them, since it costs as much as a case.
  #tryAll(count: number, next: (at: number) => Trial<Case>): void {
    let at = 0;
    let trial: Trial<Case> | undefined;
    try {
      guard(HANG_SECONDS, () => {
        for (; at < count; at += 1) {
          trial = next(at);
          this.#try(trial);
        }
      });
    } catch (cause) {
      if (trial === undefined || !(cause instanceof Hang)) throw cause;
      this.#failed.push({ ...trial, failure: cause });
    }
    for (const { each, failure, file } of this.#failed.splice(0)) if (!this.done) this.#found(each, failure, file);
    if (at < count) this.#tryAll(count - at - 1, (left) => next(at + 1 + left));
  }

  #try({ each, isParent, file }: Trial<Case>): void {
    this.executions += 1;
    const { seen, failure } = this.#attempt(each);
    if (failure !== undefined) return void this.#failed.push({ each, failure, ...(file !== undefined && { file }) });
    const unseen = [...new Set(seen)].filter((kind) => !this.#seen.has(kind));
    for (const kind of unseen) this.#seen.add(kind);
    if (isParent) this.#population.push(each);
    else if (unseen.length > 0) {
      this.#kept.push({ each, seen: unseen });
      if (this.#population.length < MOST_POPULATION) this.#population.push(each);
    }
  }

  #attempt(each: Case): { readonly seen: readonly string[]; readonly failure?: Error } {
    try {
      return { seen: [...this.target.attempt(each)] };
    } catch (cause) {
      return { seen: [], failure: cause instanceof Error ? cause : new Error(String(cause)) };
    }
  }

  #found(each: Case, failure: Error, file?: string): void {
    const name = signature(failure);
    if (this.findings.some((finding) => signature(finding.failure) === name)) return;
    const small = this.#shrink(each, failure);
    this.findings.push({ ...small, ...(file !== undefined && { file }) });
  }

  /** Takes away what is not needed to break the same rule. */
  #shrink(given: Case, failure: Error): Finding<Case> {
    const name = signature(failure);
    let finding = { each: given, failure };
    // A hang is shown as it came: each try would cost as long as the watchdog waits.
    let left = failure instanceof Hang ? 0 : SMALLER_TRIES;
    const deadline = performance.now() + SMALLER_SECONDS * 1000;
    for (let goesOn = true; goesOn && left > 0;) {
      goesOn = false;
      for (const each of this.target.smaller(finding.each)) {
        left -= 1;
        if (left <= 0 || performance.now() > deadline) return finding;
        const smaller = this.#attempt(each).failure;
        if (smaller === undefined || signature(smaller) !== name) continue;
        finding = { each, failure: smaller };
        goesOn = true;
        break;
      }
    }
    return finding;
  }
}

// What failed, without the octets that it failed with; of what is thrown, where.
function signature({ name, message, stack = "" }: Error): string {
  if (name !== "BrokenRule")
    return `${name} ${message.replaceAll(/\d+/g, "#").slice(0, 60)} ${/ at .*/.exec(stack)?.[0] ?? ""}`;
  return message
    .replaceAll(/"(?:[^"\\]|\\.)*"…?/g, '""')
    .replaceAll(/\d+/g, "#")
    .slice(0, 60);
}
