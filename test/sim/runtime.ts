import { Random } from "../e2e/harness/random.ts";

/** Whom work belongs to: a thread of a simulated process, or somebody outside. Work of the dead is never done. */
export class Owner {
  readonly name: string;
  readonly random: Random;
  alive = true;
  /** Until then it does something that blocks it. */
  busyUntil = 0;
  /** When the last of what it asked to be done soon is done: those keep their order. */
  lastSoon = 0;

  constructor(name: string, seed: number) {
    this.name = name;
    this.random = new Random(seedOf(seed, name));
  }
}

/** A piece of work at its time. */
export class Task {
  time: number;
  readonly order: number;
  readonly owner: Owner;
  work: (() => void) | undefined;

  constructor(time: number, order: number, owner: Owner, work: () => void) {
    this.time = time;
    this.order = order;
    this.owner = owner;
    this.work = work;
  }

  cancel(): void {
    this.work = undefined;
  }
}

/** A seed of its own for everything that has a name, so that taking one thing away changes nothing for the others. */
export function seedOf(seed: number, name: string): number {
  let hash = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b);
  for (let index = 0; index < name.length; index += 1) {
    hash = Math.imul(hash ^ name.charCodeAt(index), 0x01000193);
    hash ^= hash >>> 15;
  }
  return hash >>> 0;
}

// Two things that are done soon are so far apart at most, in ms.
const SOON_MS = 0.05;

/** The virtual loop: work in the order of its time, each piece with all that follows from it at once. */
export class Runtime {
  readonly seed: number;
  /** Draws what the program under test takes for random. */
  readonly secrets: Random;
  /** How often it drew. */
  draws = 0;
  readonly outside: Owner;
  /** Ms since the beginning; only grows. */
  now = 1000;
  /** The longest way of a message from thread to thread. */
  hopMs = 0.2;
  /** What the clock of the machine says more than it should. */
  clockError = 0;
  current: Owner;
  /** What the piece of work in hand has taken so far. */
  spent = 0;
  tasks = 0;
  #order = 0;
  readonly #heap: Task[] = [];
  readonly #waits = new Map<string, { readonly wake: (value: "ok" | "timed-out") => void }[]>();
  readonly #buffers = new WeakMap<ArrayBufferLike, number>();
  #lastBuffer = 0;
  readonly #failed: (owner: Owner, cause: unknown) => void;

  /** `failed`: nobody caught an error. */
  constructor(seed: number, failed: (owner: Owner, cause: unknown) => void) {
    this.seed = seed;
    this.secrets = new Random(seedOf(seed, "secrets"));
    this.outside = new Owner("world", seed);
    this.current = this.outside;
    this.#failed = failed;
  }

  monotonic(): number {
    return this.now + this.spent;
  }

  /** What the clock on the wall says, in whole ms since 1970. */
  wall(): number {
    return Math.floor(START_MS + this.monotonic() + this.clockError);
  }

  /** The work in hand takes so long, in which its thread does nothing else. */
  spend(ms: number): void {
    this.spent += ms;
  }

  after(owner: Owner, ms: number, work: () => void): Task {
    this.#order += 1;
    const task = new Task(this.monotonic() + Math.max(0, ms), this.#order, owner, work);
    this.#push(task);
    return task;
  }

  /** As setImmediate: in the order of asking, others of other threads in between. */
  soon(owner: Owner, work: () => void): Task {
    const at = Math.max(owner.lastSoon, this.monotonic() + owner.random.fraction() * SOON_MS);
    // eslint-disable-next-line no-param-reassign -- its own clock
    owner.lastSoon = at;
    return this.after(owner, at - this.monotonic(), work);
  }

  /** Runs until nothing is left, `done` says so, or the time is over; gives which. */
  run(done: () => boolean, untilMs: number): "done" | "idle" | "late" {
    while (!done()) {
      const task = this.#heap[0];
      if (task === undefined) return "idle";
      if (task.time > untilMs) {
        this.now = untilMs;
        return "late";
      }
      this.#pop();
      this.#do(task);
    }
    return "done";
  }

  /** Tells of an error that nobody caught while the work in hand was done. */
  fail(cause: unknown): void {
    this.#failed(this.current, cause);
  }

  waitAsync(words: Int32Array, index: number, value: number, ms: number): ReturnType<typeof Atomics.waitAsync> {
    if (words[index] !== value) return { async: false, value: "not-equal" };
    const owner = this.current;
    const { promise, resolve } = Promise.withResolvers<"ok" | "timed-out">();
    const key = this.#keyOf(words, index);
    const waits = this.#waits.get(key) ?? [];
    this.#waits.set(key, waits);
    const timer = this.after(owner, ms, () => {
      waits.splice(waits.indexOf(waiting), 1);
      resolve("timed-out");
    });
    const waiting = {
      wake: (): void => {
        timer.cancel();
        this.soon(owner, () => resolve("ok"));
      },
    };
    waits.push(waiting);
    return { async: true, value: promise };
  }

  notify(words: Int32Array, index: number): number {
    const key = this.#keyOf(words, index);
    const waits = this.#waits.get(key) ?? [];
    this.#waits.delete(key);
    for (const { wake } of waits) wake("ok");
    return waits.length;
  }

  #keyOf({ buffer }: Int32Array, index: number): string {
    let number = this.#buffers.get(buffer);
    if (number === undefined) {
      this.#lastBuffer += 1;
      number = this.#lastBuffer;
      this.#buffers.set(buffer, number);
    }
    return `${number}:${index}`;
  }

  #do(task: Task): void {
    const { owner, work } = task;
    if (work === undefined || !owner.alive) return;
    if (owner.busyUntil > task.time) {
      task.time = owner.busyUntil;
      return this.#push(task);
    }
    this.now = Math.max(this.now, task.time);
    this.current = owner;
    this.tasks += 1;
    try {
      work();
    } catch (cause) {
      this.fail(cause);
    }
    drainMicrotasks();
    if (this.spent === 0) return;
    owner.busyUntil = this.now + this.spent;
    this.spent = 0;
  }

  #push(task: Task): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(task);
    while (at > 0) {
      const up = (at - 1) >> 1;
      const above = heap[up] as Task;
      if (!before(task, above)) break;
      heap[at] = above;
      at = up;
    }
    heap[at] = task;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop() as Task;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let down = 2 * at + 1;
      if (down >= heap.length) break;
      if (down + 1 < heap.length && before(heap[down + 1] as Task, heap[down] as Task)) down += 1;
      if (!before(heap[down] as Task, last)) break;
      heap[at] = heap[down] as Task;
      at = down;
    }
    heap[at] = last;
  }
}

/** When every simulation begins. */
export const START_MS = Date.UTC(2026, 0, 5, 9);

function before(one: Task, other: Task): boolean {
  return one.time < other.time || (one.time === other.time && one.order < other.order);
}

// Node's own way to end a turn: ticks, then promises, then rejections that nobody heard. It works only at the bottom of the
// stack of a turn, which is where simulate() runs.
const { _tickCallback: drainMicrotasks } = process as unknown as { readonly _tickCallback: () => void };
