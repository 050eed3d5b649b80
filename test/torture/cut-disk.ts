import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { Random } from "../e2e/harness/random.ts";
import { CutFile, type Damage, type Fate } from "./cut-file.ts";
import { CutFolder, type Entry } from "./cut-folder.ts";
import type { Call } from "./recording.ts";

/** Files and folders as a power cut left them. */
export type Remains = ReadonlyMap<string, Buffer | "folder">;

/**
 * A disk whose power may be cut, as POSIX promises it and no better; ext4 (data=ordered) and XFS leave less.
 *
 * What is promised: a file's octets and its length are there once it was synced, a folder's names once the folder was; a
 * sector of 512 octets is written whole or not at all, and a truncation comes whole or not at all; a rename never takes
 * both names away. What is not: everything since the last sync. Writes of a file may be there or not, in any order and
 * each in part by sectors; its length may be any it had, and octets that were not written within it are zeros; names
 * that were made, changed or removed may be so or as before, each for itself; a synced file without a synced name is
 * lost with its folder's entry.
 */
export class CutDisk {
  readonly #folder: string;
  readonly #forgets: (path: string) => boolean;
  readonly #root = new CutFolder();
  readonly #open = new Map<string, Entry>();
  #time = 0;

  /** `folder`: what the paths begin with. `forgets`: of these files no sync is believed, to see that it is found. */
  constructor(folder: string, forgets: (path: string) => boolean = () => false) {
    this.#folder = folder;
    this.#forgets = forgets;
  }

  /** These are there, and on disk, before the first call. */
  begin(remains: Remains): void {
    for (const [place, what] of remains) {
      const { folder, name } = this.#find(path.join(this.#folder, place));
      folder.put(0, name, what === "folder" ? new CutFolder() : new CutFile(Buffer.from(what)));
      folder.sync();
    }
  }

  /** The next call takes effect. */
  apply(call: Call): void {
    this.#time = call.to;
    if (call.kind === "unknown") throw new Error(`a call that nobody reckoned with, on ${call.path}`);
    const file = this.#open.get(call.opening);
    if (call.kind === "write" && file instanceof CutFile) file.write(call.to, call.offset, call.data);
    else if (call.kind === "truncate" && file instanceof CutFile) file.truncate(call.to, call.offset);
    else if (call.kind !== "sync") this.#applyName(call);
    else if (!this.#forgets(call.path)) file?.sync();
  }

  /** What a cut at this moment may leave; counts what it did. */
  cut(how: Fate["how"] | "mixed", random: Random, damage: Damage): Remains {
    const fate = this.#fates(how, random);
    const names = new Map<CutFolder, Map<string, Entry>>();
    const namesOf = (folder: CutFolder): Map<string, Entry> => {
      const found = names.get(folder) ?? folder.cut(fate(), random, damage);
      names.set(folder, found);
      return found;
    };
    const folders = new Set(this.#root.folders());
    for (const folder of folders) for (const move of folder.moves) keepOneName(move, namesOf);
    const remains = new Map<string, Buffer | "folder">();
    const gather = (folder: CutFolder, within: string): void => {
      for (const [name, entry] of namesOf(folder)) {
        const place = path.join(within, name);
        remains.set(place, entry instanceof CutFile ? entry.cut(fate(), random, damage) : "folder");
        if (entry instanceof CutFolder) gather(entry, place);
      }
    };
    gather(this.#root, "");
    return remains;
  }

  #fates(how: Fate["how"] | "mixed", random: Random): () => Fate {
    if (how === "mixed") return () => ({ how: random.pick(["kept", "dropped", "torn", "any"] as const) });
    const time = Math.floor(this.#time * (1 - random.fraction() ** 3 / 10));
    const fate: Fate = how === "past" ? { how, time } : { how };
    return () => fate;
  }

  #applyName({ kind, path: place, other, opening, truncates, to: at }: Call): void {
    if (this.#isForeign(place) || (kind === "rename" && this.#isForeign(other))) return;
    if (place === this.#folder) return void (kind === "open" && this.#open.set(opening, this.#root));
    const { folder, name } = this.#find(place);
    if (kind === "create") folder.put(at, name, new CutFile());
    if (kind === "create" || kind === "open") {
      const entry = folder.get(name);
      if (entry === undefined) return;
      this.#open.set(opening, entry);
      if (truncates && entry instanceof CutFile) entry.truncate(at, 0);
    } else if (kind === "mkdir") folder.put(at, name, new CutFolder());
    else if (kind === "unlink" || kind === "rmdir") folder.remove(at, name);
    else if (kind === "rename" || kind === "link") {
      const target = this.#find(other);
      const entry = folder.get(name);
      if (kind === "rename") folder.move(at, name, target.folder, target.name);
      else if (entry !== undefined) target.folder.put(at, target.name, entry);
    }
  }

  /** The socket of commands is made anew at each start. */
  #isForeign(place: string): boolean {
    return path.relative(this.#folder, place).startsWith("control.");
  }

  #find(place: string): { readonly folder: CutFolder; readonly name: string } {
    const names = path.relative(this.#folder, place).split(path.sep);
    const name = names.pop() ?? "";
    let folder = this.#root;
    for (const above of names) {
      const entry = folder.get(above);
      if (!(entry instanceof CutFolder)) throw new Error(`${place} is in no folder that was made`);
      folder = entry;
    }
    return { folder, name };
  }
}

function keepOneName(
  { entry, from, fromName, to, toName }: CutFolder["moves"][number],
  namesOf: (folder: CutFolder) => Map<string, Entry>,
): void {
  if ([...namesOf(to).values(), ...namesOf(from).values()].includes(entry)) return;
  // It may have been removed since, or moved on.
  if (to.get(toName) !== entry) return;
  if (from.isUnsettled(fromName)) namesOf(from).set(fromName, entry);
  else namesOf(to).set(toName, entry);
}

/** Writes them to an empty folder. */
export function writeRemains(remains: Remains, folder: string): void {
  mkdirSync(folder, { recursive: true });
  for (const [place, what] of remains) {
    if (what === "folder") mkdirSync(path.join(folder, place), { recursive: true });
    else writeFileSync(path.join(folder, place), what);
  }
}
