import type { Disk } from "../../src/store/disk.ts";
import type { Rows } from "../../src/store/rows.ts";
import type { SqlValue } from "../../src/store/sql/statement.ts";
import { Random } from "../e2e/harness/random.ts";
import { FileSystem } from "./file-system.ts";
import type { Faults, Hooks } from "./process.ts";
import { Process } from "./process.ts";
import { simDisk } from "./sim-disk.ts";
import { SimFile } from "./sim-file.ts";
import type { Kept } from "./sim-file.ts";
import { SimFolder } from "./sim-folder.ts";
import type { Row } from "./sim-rows.ts";
import { emptyDatabase, rowsOf, SimRows } from "./sim-rows.ts";

export type { Fault, Faults, Hooks } from "./process.ts";
export { ProcessEnded } from "./process.ts";

/** A computer with a disk and rows, on which one process after the other lives and dies. */
export type Machine = {
  /** The data folder, made and durable from the start. */
  readonly folder: string;
  /** A process that starts: disk and rows for it. The former process must be dead. */
  boot(hooks: Hooks): { readonly disk: Disk; readonly rows: Rows };
  /** Decides for each verb whether it fails, and how; undefined: none do. */
  faults: Faults | undefined;
  /** Octets of the disk. */
  capacityOctets: number;
  /** Octets of the disk that files and rows take. */
  readonly usedOctets: number;
  /** The process dies (kill -9, or its own end): descriptors close, its transaction is undone; what the kernel took stays. */
  kill(): void;
  /**
   * The power goes: as kill, and of what was not synced some is lost, torn (at 512 octets) or reordered, as `random` says.
   */
  cutPower(random: Random): void;

  /** For oracles: the committed rows, or a change to them, without faults. Not while a transaction is open. */
  query(text: string, values?: readonly SqlValue[]): readonly Row[];
  /** Resolves when no transaction is open. */
  quiet(): Promise<void>;
  /** For oracles: a file's octets as the kernel shows them; undefined: there is none. */
  content(path: string): Uint8Array | undefined;
  /** For oracles: the paths of all files under a folder. */
  list(folder: string): readonly string[];
  /** Rot: turns one bit of a file over, on the disk. */
  flip(path: string, octet: number, bit: number): void;
};

export type MachineOptions = {
  readonly capacityOctets?: number;
  /** Of the machine's own chances: which sectors a failed sync had written. */
  readonly seed?: number;
  /** An image of the database to begin with, by SQLite's serialize(), in place of an empty one of this program's schema. */
  readonly database?: Uint8Array;
};

const FOLDER = "/data";
const template = await emptyDatabase();

/** A machine whose disk holds the data folder and nothing else. */
export function createMachine(options: MachineOptions = {}): Machine {
  const rows = new SimRows(options.database ?? template);
  const files = new FileSystem(options.capacityOctets ?? 2 ** 40, () => rows.octets);
  files.mkdir(FOLDER);
  files.syncFolder("/");
  return new SimMachine(files, rows, new Random(options.seed ?? 1));
}

class SimMachine implements Machine {
  readonly folder = FOLDER;
  faults: Faults | undefined;
  readonly #files: FileSystem;
  readonly #rows: SimRows;
  readonly #random: Random;
  #process: Process | undefined;

  constructor(files: FileSystem, rows: SimRows, random: Random) {
    this.#files = files;
    this.#rows = rows;
    this.#random = random;
  }

  get capacityOctets(): number {
    return this.#files.capacity;
  }

  set capacityOctets(octets: number) {
    this.#files.capacity = octets;
  }

  get usedOctets(): number {
    return this.#files.used + this.#rows.octets;
  }

  boot(hooks: Hooks): { readonly disk: Disk; readonly rows: Rows } {
    if (this.#process?.alive === true) throw new Error("the former process is alive");
    const process = new Process(hooks, () => this.faults);
    this.#process = process;
    const free = (): number => this.#files.free;
    return {
      disk: simDisk(this.#files, process, this.#random),
      rows: rowsOf(this.#rows, process, free),
    };
  }

  kill(): void {
    if (this.#process !== undefined) this.#process.alive = false;
    this.#files.closeAll();
    this.#rows.kill(this.#random);
  }

  cutPower(random: Random): void {
    this.kill();
    const mode = random.between(0, 3);
    const keep = (): Kept => {
      if (mode === 0) return "none";
      if (mode === 1) return { share: random.fraction() };
      return random.pick<Kept>(["none", "all", { share: 0.1 }, { share: 0.5 }, { share: 0.9 }]);
    };
    this.#files.lose(keep, random);
    this.#rows.lose(random);
  }

  query(text: string, values: readonly SqlValue[] = []): readonly Row[] {
    if (this.#rows.busy) throw new Error("a transaction is open");
    return this.#rows.sql.query(text, values);
  }

  async quiet(): Promise<void> {
    while (this.#rows.busy) await this.#rows.whenEnded();
  }

  content(path: string): Uint8Array | undefined {
    const found = this.#files.look(path);
    return found instanceof SimFile ? found.content() : undefined;
  }

  list(folder: string): readonly string[] {
    const found = this.#files.look(folder);
    if (!(found instanceof SimFolder)) return [];
    return found.names.flatMap((name) => {
      const at = `${folder}/${name}`;
      return found.get(name) instanceof SimFolder ? this.list(at) : [at];
    });
  }

  flip(path: string, octet: number, bit: number): void {
    const found = this.#files.look(path);
    if (found instanceof SimFile) found.flip(octet, bit);
  }
}
