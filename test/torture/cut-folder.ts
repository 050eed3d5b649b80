import type { Random } from "../e2e/harness/random.ts";
import type { CutFile, Damage, Fate } from "./cut-file.ts";

/** What a name stands for. */
export type Entry = CutFile | CutFolder;

/** From here on the name stands for that, or for nothing. */
type Renaming = { readonly at: number; readonly name: string; readonly entry: Entry | undefined; readonly move?: Move };

/** Both sides of a rename. */
type Move = {
  readonly entry: Entry;
  readonly from: CutFolder;
  readonly fromName: string;
  readonly to: CutFolder;
  readonly toName: string;
};

/** A folder with the names that are on disk and those that are there now. */
export class CutFolder {
  #durable = new Map<string, Entry>();
  readonly #now = new Map<string, Entry>();
  readonly #pending: Renaming[] = [];

  get(name: string): Entry | undefined {
    return this.#now.get(name);
  }

  put(at: number, name: string, entry: Entry): void {
    this.#change({ at, name, entry });
  }

  remove(at: number, name: string): void {
    this.#change({ at, name, entry: undefined });
  }

  /** Gives an entry of this folder another name, here or elsewhere. */
  move(at: number, fromName: string, to: CutFolder, toName: string): void {
    const entry = this.#now.get(fromName);
    if (entry === undefined) return;
    const move = { entry, from: this, fromName, to, toName };
    to.#change({ at, name: toName, entry, move });
    this.#change({ at, name: fromName, entry: undefined, move });
  }

  sync(): void {
    this.#durable = new Map(this.#now);
    this.#pending.length = 0;
  }

  /** All folders that could be there, this one first. */
  *folders(): Generator<CutFolder> {
    yield this;
    const entries = new Set<Entry>(this.#durable.values());
    for (const { entry } of this.#pending) if (entry !== undefined) entries.add(entry);
    for (const entry of entries) if (entry instanceof CutFolder) yield* entry.folders();
  }

  /** The names that a power cut leaves: of each, as many first changes as its fate says. */
  cut(fate: Fate, random: Random, damage: Damage): Map<string, Entry> {
    const names = new Map(this.#durable);
    const byName = Map.groupBy(this.#pending, ({ name }) => name);
    const first = random.between(0, this.#pending.length);
    for (const [name, changes] of byName) {
      const kept = changes.slice(0, countOf(fate, changes, this.#pending.slice(0, first), random));
      damage.dropped += changes.length - kept.length;
      const last = kept.at(-1);
      if (last === undefined) continue;
      if (last.entry === undefined) names.delete(name);
      else names.set(name, last.entry);
    }
    return names;
  }

  /** Those renames of which one side at least is not on disk. */
  get moves(): readonly Move[] {
    return this.#pending.flatMap(({ move }) => (move === undefined ? [] : [move]));
  }

  /** Whether that a name went away is not on disk yet. */
  isUnsettled(name: string): boolean {
    return this.#pending.some((change) => change.name === name);
  }

  #change(change: Renaming): void {
    this.#pending.push(change);
    if (change.entry === undefined) this.#now.delete(change.name);
    else this.#now.set(change.name, change.entry);
  }
}

function countOf(fate: Fate, changes: readonly Renaming[], first: readonly Renaming[], random: Random): number {
  if (fate.how === "kept") return changes.length;
  if (fate.how === "dropped") return 0;
  if (fate.how === "past") return changes.filter(({ at }) => at < fate.time).length;
  // "torn": in order, up to some change.
  if (fate.how === "torn") return changes.filter((change) => first.includes(change)).length;
  return random.between(0, changes.length);
}
