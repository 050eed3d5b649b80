import { readdirSync, readFileSync } from "node:fs";

const MIB = 1024 * 1024;

/** Resident memory of a process in MiB. */
export function residentMib(pid: number): number {
  const [, kib = ""] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  if (kib === "") throw new Error(`process ${pid} has no resident memory`);
  return (Number(kib) * 1024) / MIB;
}

/** Looks at a process's resident memory again and again until it is disposed, and keeps the most that it saw. */
export class MemoryPeak implements Disposable {
  readonly #pid: number;
  readonly #timer: NodeJS.Timeout;
  readonly before: number;
  #most: number;

  constructor(pid: number) {
    this.#pid = pid;
    this.before = residentMib(pid);
    this.#most = this.before;
    this.#timer = setInterval(() => this.#look(), 10);
  }

  /** MiB above what it was at first. */
  get raise(): number {
    this.#look();
    return this.#most - this.before;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    this.#most = Math.max(this.#most, residentMib(this.#pid));
  }
}

/** Waits for nothing: the number of descriptors that a process has open. */
export function openDescriptors(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}
