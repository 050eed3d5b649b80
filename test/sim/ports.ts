import type { BroadcastChannel, MessagePort, Transferable } from "node:worker_threads";
import type { Owner, Runtime } from "./runtime.ts";

type Listener = (value: unknown) => void;

/** One end of a way between two threads: messages come in order, and the end of a thread is the end of the way. */
export class SimPort {
  readonly #runtime: Runtime;
  readonly #owner: Owner;
  readonly #listeners = new Map<string, Listener>();
  #other: SimPort | undefined;
  #lastArrival = 0;
  #closed = false;

  private constructor(runtime: Runtime, owner: Owner) {
    this.#runtime = runtime;
    this.#owner = owner;
  }

  /** Two ends, of two threads. */
  static pair(runtime: Runtime, one: Owner, other: Owner): readonly [SimPort, SimPort] {
    const first = new SimPort(runtime, one);
    const second = new SimPort(runtime, other);
    first.#other = second;
    second.#other = first;
    return [first, second];
  }

  /** As the program knows it. */
  get port(): MessagePort {
    return this as unknown as MessagePort;
  }

  on(event: string, listener: Listener): this {
    this.#listeners.set(event, listener);
    return this;
  }

  ref(): void {}

  unref(): void {}

  postMessage(value: unknown, transfer: Transferable[] = []): void {
    if (this.#closed || !this.#owner.alive) return;
    const copy = structuredClone(value, { transfer: transfer as ArrayBuffer[] });
    this.#other?.arrive("message", copy);
  }

  /** Ends the way; also called for a thread that died. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#other?.arrive("close", undefined);
    this.#runtime.soon(this.#owner, () => this.#listeners.get("close")?.(undefined));
  }

  arrive(event: "message" | "close", value: unknown): void {
    const runtime = this.#runtime;
    const at = Math.max(this.#lastArrival, runtime.monotonic() + this.#owner.random.fraction() * runtime.hopMs);
    this.#lastArrival = at;
    runtime.after(this.#owner, at - runtime.monotonic(), () => {
      if (this.#closed) return;
      if (event === "close") this.#closed = true;
      this.#listeners.get(event)?.(value);
    });
  }
}

/** By which all threads of a process hear what one of them says. */
export class SimChannel {
  readonly #runtime: Runtime;
  readonly #owner: Owner;
  readonly #all: Set<SimChannel>;
  #listener: ((event: { readonly data: unknown }) => void) | undefined;

  constructor(runtime: Runtime, owner: Owner, all: Set<SimChannel>) {
    this.#runtime = runtime;
    this.#owner = owner;
    this.#all = all;
    all.add(this);
  }

  get channel(): BroadcastChannel {
    return this as unknown as BroadcastChannel;
  }

  addEventListener(_: "message", listener: (event: { readonly data: unknown }) => void): void {
    this.#listener = listener;
  }

  unref(): void {}

  postMessage(data: unknown): void {
    if (!this.#owner.alive) return;
    for (const other of this.#all) if (other !== this) other.#hear(data);
  }

  close(): void {
    this.#all.delete(this);
  }

  #hear(data: unknown): void {
    this.#runtime.after(this.#owner, this.#owner.random.fraction() * this.#runtime.hopMs, () =>
      this.#listener?.({ data }),
    );
  }
}
