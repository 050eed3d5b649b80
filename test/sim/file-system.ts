import path from "node:path";
import type { Random } from "../e2e/harness/random.ts";
import { SimFile } from "./sim-file.ts";
import type { Kept } from "./sim-file.ts";
import type { Entry } from "./sim-folder.ts";
import { SimFolder } from "./sim-folder.ts";

/** What a system call says when it does not work. */
export class SystemError extends Error {
  readonly code: string;

  constructor(code: string, what: string) {
    super(`${code}: ${what}`);
    this.name = "SystemError";
    this.code = code;
  }
}

type Descriptor = { readonly entry: Entry; readonly path: string; readonly writes: boolean };

const BLOCK_OCTETS = 4096;
const FIRST_DESCRIPTOR = 3;

/** A file system in memory with POSIX's rules, that knows what of it would be there after a power cut. */
export class FileSystem {
  readonly #root = new SimFolder();
  readonly #descriptors = new Map<number, Descriptor>();
  /** Octets that the database takes of the same disk. */
  readonly #elsewhere: () => number;
  #used = 0;
  capacity: number;

  constructor(capacity: number, elsewhere: () => number) {
    this.capacity = capacity;
    this.#elsewhere = elsewhere;
  }

  get used(): number {
    return this.#used;
  }

  get free(): number {
    return Math.max(0, this.capacity - this.#used - this.#elsewhere());
  }

  pathOf(descriptor: number): string {
    return this.#descriptors.get(descriptor)?.path ?? `descriptor ${descriptor}`;
  }

  open(at: string, how: "read" | "write" | "create"): number {
    const [folder, name] = this.#place(at);
    const found = folder.get(name);
    if (how === "create" && found !== undefined) throw new SystemError("EEXIST", at);
    if (how !== "create" && found === undefined) throw new SystemError("ENOENT", at);
    if (found instanceof SimFolder && how === "write") throw new SystemError("EISDIR", at);
    const entry = found ?? this.#create(folder, name);
    if (entry instanceof SimFile) entry.descriptors += 1;
    // The lowest that is free, as POSIX has it: who uses a closed one meets another's file.
    let descriptor = FIRST_DESCRIPTOR;
    while (this.#descriptors.has(descriptor)) descriptor += 1;
    this.#descriptors.set(descriptor, { entry, path: at, writes: how !== "read" });
    return descriptor;
  }

  close(descriptor: number): void {
    const { entry } = this.#opened(descriptor);
    this.#descriptors.delete(descriptor);
    if (entry instanceof SimFolder) return;
    entry.descriptors -= 1;
    this.#release(entry);
  }

  closeAll(): void {
    for (const descriptor of this.#descriptors.keys()) this.close(descriptor);
  }

  read(descriptor: number, target: Uint8Array, at: number): number {
    const { entry } = this.#opened(descriptor);
    if (entry instanceof SimFolder) throw new SystemError("EISDIR", "read");
    if (at < 0) throw new SystemError("EINVAL", `read at ${at}`);
    return entry.read(at, target);
  }

  /** Writes what there is room for; then, when that was not all, says that the disk is full. */
  write(descriptor: number, octets: Uint8Array, at: number): void {
    const file = this.#openedForWriting(descriptor, "EBADF");
    if (at < 0) throw new SystemError("EINVAL", `write at ${at}`);
    const most = blocks(file.size) + Math.floor(this.free / BLOCK_OCTETS) * BLOCK_OCTETS;
    const fits = Math.min(octets.byteLength, Math.max(0, most - at));
    const before = blocks(file.size);
    file.write(at, octets.subarray(0, fits));
    this.#used += blocks(file.size) - before;
    if (fits < octets.byteLength) throw new SystemError("ENOSPC", "write");
  }

  truncate(descriptor: number, size: number): void {
    const file = this.#openedForWriting(descriptor, "EINVAL");
    const grows = blocks(size) - blocks(file.size);
    if (grows > this.free) throw new SystemError("ENOSPC", "truncate");
    file.truncate(size);
    this.#used += grows;
  }

  sync(descriptor: number): void {
    this.#opened(descriptor).entry.sync();
  }

  failSync(descriptor: number, share: number, random: Random): void {
    this.#opened(descriptor).entry.failSync(share, random);
  }

  rename(from: string, to: string): void {
    const [source, oldName] = this.#place(from);
    const [target, newName] = this.#place(to);
    const moved = source.get(oldName);
    const replaced = target.get(newName);
    if (moved === undefined) throw new SystemError("ENOENT", from);
    if (moved === replaced) return;
    if (to.startsWith(`${from}/`)) throw new SystemError("EINVAL", to);
    if (replaced instanceof SimFolder) {
      if (!(moved instanceof SimFolder)) throw new SystemError("EISDIR", to);
      if (replaced.names.length > 0) throw new SystemError("ENOTEMPTY", to);
    } else if (moved instanceof SimFolder && replaced !== undefined) {
      throw new SystemError("ENOTDIR", to);
    }
    target.set(newName, moved);
    source.remove(oldName);
    if (replaced instanceof SimFile) this.#leave(replaced);
  }

  unlink(at: string): void {
    const [folder, name] = this.#place(at);
    const found = folder.get(name);
    if (found === undefined) throw new SystemError("ENOENT", at);
    if (found instanceof SimFolder) throw new SystemError("EISDIR", at);
    folder.remove(name);
    this.#leave(found);
  }

  mkdir(at: string): void {
    const [folder, name] = this.#place(at);
    if (folder.get(name) !== undefined) throw new SystemError("EEXIST", at);
    this.#assertRoom();
    folder.set(name, new SimFolder());
  }

  syncFolder(at: string): void {
    this.#entry(at).sync();
  }

  failSyncFolder(at: string, share: number, random: Random): void {
    this.#entry(at).failSync(share, random);
  }

  /** What a name is; undefined: nothing. */
  look(at: string): Entry | undefined {
    let here: Entry | undefined = this.#root;
    for (const name of at.split(path.sep)) {
      if (name === "") continue;
      if (here instanceof SimFile) throw new SystemError("ENOTDIR", at);
      here = here?.get(name);
      if (here === undefined) return undefined;
    }
    return here;
  }

  folder(at: string): SimFolder {
    const found = this.#entry(at);
    if (found instanceof SimFile) throw new SystemError("ENOTDIR", at);
    return found;
  }

  /** The power goes: `keep` says for each file and folder what of its unsynced changes is there. */
  lose(keep: () => Kept, random: Random): void {
    this.#descriptors.clear();
    this.#used = 0;
    const seen = new Set<Entry>();
    const visit = (entry: Entry): void => {
      if (entry instanceof SimFile) entry.names += 1;
      if (seen.has(entry)) return;
      seen.add(entry);
      entry.lose(keep(), random);
      if (entry instanceof SimFolder) {
        for (const each of entry.entries) {
          if (each instanceof SimFile && !seen.has(each)) each.names = 0;
          visit(each);
        }
      } else {
        entry.descriptors = 0;
        this.#used += blocks(entry.size);
      }
    };
    visit(this.#root);
  }

  #entry(at: string): Entry {
    const found = this.look(at);
    if (found === undefined) throw new SystemError("ENOENT", at);
    return found;
  }

  #place(at: string): [SimFolder, string] {
    return [this.folder(path.dirname(at)), path.basename(at)];
  }

  // Not all file systems take a name when no block is free.
  #assertRoom(): void {
    if (this.free < BLOCK_OCTETS) throw new SystemError("ENOSPC", "no room for a name");
  }

  #opened(descriptor: number): Descriptor {
    const opened = this.#descriptors.get(descriptor);
    if (opened === undefined) throw new SystemError("EBADF", `descriptor ${descriptor}`);
    return opened;
  }

  #openedForWriting(descriptor: number, refusal: string): SimFile {
    const { entry, writes } = this.#opened(descriptor);
    if (!writes || entry instanceof SimFolder) throw new SystemError(refusal, "not open for writing");
    return entry;
  }

  #create(folder: SimFolder, name: string): SimFile {
    this.#assertRoom();
    const file = new SimFile();
    folder.set(name, file);
    file.names += 1;
    return file;
  }

  #leave(file: SimFile): void {
    file.names -= 1;
    this.#release(file);
  }

  // The octets of a file without a name are there until the last descriptor is closed.
  #release(file: SimFile): void {
    if (file.names === 0 && file.descriptors === 0) this.#used -= blocks(file.size);
  }
}

function blocks(octets: number): number {
  return Math.ceil(octets / BLOCK_OCTETS) * BLOCK_OCTETS;
}
