import type { MessagePort } from "node:worker_threads";
import type { LogControl } from "./log-control.ts";
import type { Level } from "./log-port.ts";
import type { Counter } from "./metrics-port.ts";

const LONGEST_WAIT_MS = 50;
const BATCH_LENGTH = 64 * 1024;
/** With this much on its way the main thread does not keep up: lines below "warn" are dropped. */
const LONGEST_TRANSIT = 8 * 1024 * 1024;

/** Gathers a thread's lines and hands them to the main thread: at most 50 ms later, warnings and errors at once. */
export class LineBatch {
  readonly #port: MessagePort;
  readonly #control: LogControl;
  readonly #dropped: Counter;
  #text = "";
  #timer: NodeJS.Timeout | undefined;

  constructor(port: MessagePort, control: LogControl, dropped: Counter) {
    this.#port = port;
    this.#control = control;
    this.#dropped = dropped;
  }

  add(line: string, level: Level): void {
    const urgent = level === "warn" || level === "error";
    if (!urgent && this.#control.transit > LONGEST_TRANSIT) return this.#dropped.add();
    this.#text += line;
    if (urgent || this.#text.length >= BATCH_LENGTH) return this.flush();
    this.#timer ??= setTimeout(() => this.flush(), LONGEST_WAIT_MS).unref();
  }

  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#text === "") return;
    this.#control.addTransit(this.#text.length);
    this.#port.postMessage(this.#text);
    this.#text = "";
  }
}
