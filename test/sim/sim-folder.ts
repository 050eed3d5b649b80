import type { Random } from "../e2e/harness/random.ts";
import type { Kept, SimFile } from "./sim-file.ts";

export type Entry = SimFile | SimFolder;

/** A folder's names as the kernel shows them, and as they are on the disk. */
export class SimFolder {
  #names = new Map<string, Entry>();
  readonly #disk = new Map<string, Entry>();
  /** Since the last sync, in order; a name without an entry was removed. */
  #changes: { readonly name: string; readonly entry: Entry | undefined }[] = [];

  get names(): readonly string[] {
    return [...this.#names.keys()];
  }

  get entries(): readonly Entry[] {
    return [...this.#names.values()];
  }

  get(name: string): Entry | undefined {
    return this.#names.get(name);
  }

  set(name: string, entry: Entry): void {
    this.#names.set(name, entry);
    this.#changes.push({ name, entry });
  }

  remove(name: string): void {
    this.#names.delete(name);
    this.#changes.push({ name, entry: undefined });
  }

  sync(): void {
    for (const { name, entry } of this.#changes) put(this.#disk, name, entry);
    this.#changes = [];
  }

  /** As of a file: what could not be written is shown, but no later sync brings it to the disk. */
  failSync(share: number, random: Random): void {
    this.#keepPart(share, random);
    this.#changes = [];
  }

  lose(kept: Kept, random: Random): void {
    if (kept === "all") this.sync();
    else if (kept !== "none") this.#keepPart(kept.share, random);
    this.#changes = [];
    this.#names = new Map(this.#disk);
  }

  /** Of each name, as many of its changes as chance has it, the first ones first: two names know nothing of one another. */
  #keepPart(share: number, random: Random): void {
    const times = new Map<string, number>();
    for (const { name } of this.#changes) times.set(name, (times.get(name) ?? 0) + 1);
    for (const [name, most] of times) times.set(name, random.fraction() < share ? random.between(1, most) : 0);
    for (const { name, entry } of this.#changes) {
      const left = times.get(name) ?? 0;
      times.set(name, left - 1);
      if (left > 0) put(this.#disk, name, entry);
    }
  }
}

function put(names: Map<string, Entry>, name: string, entry: Entry | undefined): void {
  if (entry === undefined) names.delete(name);
  else names.set(name, entry);
}
