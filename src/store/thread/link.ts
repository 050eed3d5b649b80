import type { MessagePort, Transferable } from "node:worker_threads";
import type { Result } from "../../lib/result.ts";
import { err } from "../../lib/result.ts";
import type { BufferPool } from "../buffer-pool.ts";
import { StoreError } from "../ports.ts";
import type { AnnounceSegments } from "../reclaim.ts";
import type { Request } from "../write/verbs.ts";
import { isRowRequest } from "../write/verbs.ts";
import type { Answer, Calls, News } from "./messages.ts";

type Pending = { readonly settle: (outcome: unknown) => void; readonly fail: (cause: Error) => void };
type Parts = {
  readonly port: MessagePort;
  readonly buffers: BufferPool;
  readonly segmentsGone: AnnounceSegments;
  readonly onLost: (reason: string) => void;
};

// What a thread may have on the way; senders are slowed long before by the memory their bodies take.
const MOST_PENDING = 10_000;

/** A client's end of the way to the store thread: the calls of one turn of the loop go as one message. */
export class StoreLink implements AsyncDisposable {
  readonly #parts: Parts;
  readonly #pending = new Map<number, Pending>();
  #calls: Calls[number][] = [];
  #transfer: Transferable[] = [];
  #lastId = 0;
  #closed = false;
  readonly #idle: (() => void)[] = [];

  constructor(parts: Parts) {
    this.#parts = parts;
    const { port } = parts;
    port.on("message", (news: News) => this.#hear(news));
    port.on("close", () => this.#lost());
    // An open store alone keeps no process alive; a call on the way does.
    port.unref();
  }

  submit(request: Request): Promise<unknown> {
    if (this.#closed) return Promise.reject(gone());
    if (this.#pending.size >= MOST_PENDING) {
      return isRowRequest(request) ? Promise.resolve(tooMany()) : Promise.reject(gone());
    }
    const packed = this.#packed(request);
    return new Promise((settle, fail) => {
      this.#lastId += 1;
      if (this.#pending.size === 0) this.#parts.port.ref();
      this.#pending.set(this.#lastId, { settle, fail });
      if (this.#calls.length === 0) setImmediate(() => this.#flush());
      this.#calls.push({ id: this.#lastId, request: packed });
    });
  }

  /** Waits for the answers to all calls, then closes. */
  async [Symbol.asyncDispose](): Promise<void> {
    while (this.#pending.size > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
    this.#closed = true;
    this.#parts.port.close();
  }

  #packed(request: Request): Request {
    if (request.verb !== "append") return request;
    const [delivery] = request.arguments;
    if (delivery.body.kind === "memory") this.#transfer.push(delivery.body.buffer);
    // A view is cloned with all of the buffer that it lies in, which may be a pool's.
    const body = { ...delivery.body, sha256: new Uint8Array(delivery.body.sha256) };
    return { verb: "append", arguments: [{ ...delivery, body }] };
  }

  #flush(): void {
    const calls = this.#calls;
    const transfer = this.#transfer;
    this.#calls = [];
    this.#transfer = [];
    if (!this.#closed) this.#parts.port.postMessage(calls, transfer);
  }

  #hear(news: News): void {
    if ("segmentsGone" in news) this.#parts.segmentsGone(news.segmentsGone);
    else for (const answer of news.answers) this.#take(answer);
  }

  #take(answer: Answer): void {
    if (answer.buffer !== undefined) this.#parts.buffers.give(answer.buffer);
    const pending = this.#pending.get(answer.id);
    this.#pending.delete(answer.id);
    if (this.#pending.size === 0) this.#rest();
    if ("outcome" in answer) pending?.settle(answer.outcome);
    else pending?.fail(new StoreError(answer.error.kind, answer.error.message, { full: answer.error.full }));
  }

  #rest(): void {
    this.#parts.port.unref();
    for (const idle of this.#idle.splice(0)) idle();
  }

  #lost(): void {
    const expected = this.#closed;
    this.#closed = true;
    for (const { fail } of this.#pending.values()) fail(gone());
    this.#pending.clear();
    this.#rest();
    if (!expected) this.#parts.onLost("the store thread is gone");
  }
}

function gone(): StoreError {
  return new StoreError("unavailable", "the store thread is gone");
}

function tooMany(): Result<never, "failed"> {
  return err("failed");
}
