import type { Level } from "./log-port.ts";
import type { Output } from "./output.ts";

const RETRY_MS = 5;
const LARGEST_WRITE = 256 * 1024;

/** Lines that wait for the output, bounded: when it does not keep up, the oldest below "warn" are dropped first. */
export class LogWriter {
  readonly #output: Output;
  readonly #limit: number;
  readonly #dropped: (lines: number) => void;
  #waiting: string[] = [];
  #length = 0;
  /** What the output was given and has not wholly taken. */
  #current: Uint8Array | undefined;
  #retry: NodeJS.Timeout | undefined;

  constructor(output: Output, limit: number, dropped: (lines: number) => void) {
    this.#output = output;
    this.#limit = limit;
    this.#dropped = dropped;
  }

  /** Takes whole lines, each with its line feed. */
  add(lines: readonly string[]): void {
    for (const line of lines) {
      this.#waiting.push(line);
      this.#length += line.length;
    }
    if (this.#length > this.#limit) this.#shed();
    if (this.#current === undefined) this.#next();
  }

  /** Writes all that waits, now. What the output has in its hands at this moment is not written again. */
  flush(): void {
    const left = this.#retry === undefined ? undefined : this.#current;
    clearTimeout(this.#retry);
    this.#retry = undefined;
    this.#current = undefined;
    if (left !== undefined) this.#output.writeNow(left);
    const rest = this.#takeWaiting(Number.POSITIVE_INFINITY);
    if (rest !== "") this.#output.writeNow(Buffer.from(rest));
  }

  #next(): void {
    const text = this.#takeWaiting(LARGEST_WRITE);
    if (text === "") return;
    this.#current = Buffer.from(text);
    this.#write();
  }

  #write(): void {
    const current = this.#current;
    if (current === undefined) return;
    this.#output.write(current, (taken) => {
      // A flush came in between.
      if (this.#current !== current) return;
      this.#current = taken < current.length ? current.subarray(taken) : undefined;
      if (this.#current === undefined) this.#next();
      else if (taken > 0) this.#write();
      else this.#retry = setTimeout(() => this.#tryAgain(), RETRY_MS).unref();
    });
  }

  #tryAgain(): void {
    this.#retry = undefined;
    this.#write();
  }

  #takeWaiting(upTo: number): string {
    let count = 0;
    let length = 0;
    while (count < this.#waiting.length && (count === 0 || length < upTo)) {
      length += this.#waiting[count]?.length ?? 0;
      count += 1;
    }
    this.#length -= length;
    return this.#waiting.splice(0, count).join("");
  }

  /** Down to three quarters of the limit, so that the next line does not shed again. */
  #shed(): void {
    const goal = this.#limit * 0.75;
    const before = this.#waiting.length;
    for (const droppable of [isMinor, () => true]) {
      this.#waiting = this.#waiting.filter((line) => {
        if (this.#length <= goal || !droppable(line)) return true;
        this.#length -= line.length;
        return false;
      });
    }
    this.#dropped(before - this.#waiting.length);
  }
}

function isMinor(line: string): boolean {
  return levelOf(line) === "debug" || levelOf(line) === "info";
}

function levelOf(line: string): Level | undefined {
  return /^\{"time":"[^"]*","seq":\d+,"level":"(\w+)"/.exec(line)?.[1] as Level | undefined;
}
