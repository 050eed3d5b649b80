import type { Clock } from "../../src/lib/clock.ts";
import type { Connection, ConnectionHandler } from "../../src/net/connection.ts";
import { createPatientClock } from "../../src/lib/patient-clock.ts";
import { DiskError } from "../../src/store/disk.ts";
import { type Store, StoreError } from "../../src/store/ports.ts";
import { openWriter } from "../../src/store/open-writer.ts";
import { serveClient } from "../../src/store/thread/serve.ts";
import { ThreadNumbers } from "../../src/store/thread/thread-numbers.ts";
import type { Writer } from "../../src/store/write/writer.ts";
import { type Machine, ProcessEnded } from "./machine.ts";
import type { ClientEnd, ServerEnd } from "./network.ts";
import { quietMetrics, toldLog } from "./parts-quiet.ts";
import { SimChannel, SimPort } from "./ports.ts";
import { Owner, type Runtime } from "./runtime.ts";
import { protocols, type Protocol, type Settings, storeClient } from "./server.ts";

/** What a life needs of the world around it. */
export type LifeParts = {
  readonly runtime: Runtime;
  readonly machine: Machine;
  readonly settings: Settings;
  readonly number: number;
  /** Before each step on disk and rows. */
  readonly step: (what: string) => void;
  /** How long an asynchronous verb of the disk takes. */
  readonly diskMs: () => number;
  readonly tell: (who: string, what: string) => void;
  /** An error that no client may ever cause. */
  readonly broken: (what: string) => void;
};

type Doors = Record<Protocol, (connection: Connection) => ConnectionHandler>;

/** One protocol thread, or the main thread, which has no doors. */
type Thread = {
  readonly owner: Owner;
  readonly port: SimPort;
  readonly channel: SimChannel;
  readonly connections: Set<ServerEnd>;
  readonly store: Store;
  readonly doors: Doors | undefined;
  sweeping: boolean;
};

const THREADS = 2;
const LEASE_OCTETS = 16 * 1024;
const THREAD_RESTART_MS = 5;

/** One run of the server, from its start to its death. */
export class Life {
  readonly number: number;
  readonly owners = new Set<Owner>();
  /** Of the main thread, once it is up. */
  admin: Store | undefined;
  /** The clock that jobs go by. */
  patient: Clock | undefined;
  /** Told of its death. */
  readonly mourners = new Set<() => void>();
  alive = true;
  serving = false;
  readonly clock: Clock;
  readonly #parts: LifeParts;
  readonly #leaseWords = new SharedArrayBuffer(LEASE_OCTETS);
  readonly #channels = new Set<SimChannel>();
  readonly #numbers = new ThreadNumbers();
  readonly #clients = new Set<SimPort>();
  readonly #threads = new Map<number, Thread>();
  readonly #disk: ReturnType<Machine["boot"]>;
  readonly #store: Owner;
  readonly #main: Owner;
  #writer: Writer | undefined;
  #threadsMade = 0;

  constructor(parts: LifeParts) {
    const { runtime, machine } = parts;
    this.#parts = parts;
    this.number = parts.number;
    this.clock = { now: () => runtime.wall(), monotonic: () => runtime.monotonic() };
    this.#disk = machine.boot({
      step: (what) => this.#step(what),
      later: <T>(work: () => T) => this.#later(work),
    });
    this.#store = this.#owner("store");
    this.#main = this.#owner("main");
  }

  get main(): Owner {
    return this.#main;
  }

  /** Starts as app/serve.ts does; `started` is told whether it came up, and else why not. */
  start(started: (refusal: { readonly kind: string; readonly reason: string } | undefined) => void): void {
    const { runtime } = this.#parts;
    const serve = async (): Promise<void> => {
      await this.#serve();
      started(undefined);
    };
    const open = async (): Promise<void> => {
      const refusal = await this.#open();
      if (refusal === undefined) runtime.soon(this.#main, () => void serve());
      else started(refusal);
    };
    runtime.soon(this.#store, () => void open());
  }

  async #serve(): Promise<void> {
    const { store } = this.#connectStore(this.#main);
    const last = await lastTimeOf(store);
    this.admin = store;
    this.patient = createPatientClock(this.clock, () => undefined, last);
    for (let index = 0; index < THREADS; index += 1) this.#startThread(index);
    this.serving = true;
    this.#noteTimeSoon(store, this.patient);
  }

  // As the job "clock" does.
  #noteTimeSoon(store: Store, clock: Clock, ms = 60_000): void {
    this.#parts.runtime.after(this.#main, ms, () => {
      void store.upkeep.noteTime(clock.now()).catch(() => undefined);
      this.#noteTimeSoon(store, clock, 3_600_000);
    });
  }

  /** All of it is gone at once. `silenceMs`: after how long clients hear of it. */
  die(silenceMs: number): void {
    if (!this.alive) return;
    this.alive = false;
    this.serving = false;
    for (const owner of this.owners) owner.alive = false;
    for (const { connections } of this.#threads.values())
      for (const connection of connections) connection.died(silenceMs);
    for (const mourner of this.mourners) mourner();
  }

  /** Ends as app/serve.ts does: sessions may finish within so many seconds, then all that was asked of the store. */
  stop(seconds: number, stopped: () => void): void {
    const { runtime } = this.#parts;
    this.serving = false;
    for (const { owner, connections } of this.#threads.values())
      runtime.soon(owner, () => {
        for (const connection of connections) connection.shutdown();
      });
    runtime.after(this.#main, seconds * 1000, () => {
      for (const thread of this.#threads.values()) endThread(thread);
      this.#threads.clear();
      runtime.soon(this.#store, () => void this.#close(stopped));
    });
  }

  async #close(stopped: () => void): Promise<void> {
    try {
      await this.#writer?.[Symbol.asyncDispose]();
    } catch (cause) {
      // The process ends all the same.
      if (!(cause instanceof StoreError || cause instanceof DiskError)) throw cause;
    }
    stopped();
  }

  /** One protocol thread dies and is started again. */
  killThread(index: number): void {
    const thread = this.#threads.get(index);
    if (thread === undefined || !this.alive || !this.serving) return;
    this.#parts.tell(thread.owner.name, "dies");
    this.#threads.delete(index);
    endThread(thread);
    this.#parts.runtime.after(this.#main, THREAD_RESTART_MS, () => this.#startThread(index));
  }

  /** The thread that takes the next connection; undefined: nobody listens. */
  listener(
    choice: number,
  ): { readonly owner: Owner; readonly accept: (end: ClientEnd, protocol: Protocol) => void } | undefined {
    const threads = [...this.#threads.values()];
    const thread = this.serving ? threads[Math.floor(choice * threads.length)] : undefined;
    if (thread === undefined) return undefined;
    const accept = ({ server }: ClientEnd, protocol: Protocol): void => {
      // From here on the end of the thread is the end of it.
      thread.connections.add(server);
      this.#parts.runtime.soon(thread.owner, () => this.#accept(thread, server, protocol));
    };
    return { owner: thread.owner, accept };
  }

  #accept(thread: Thread, end: ServerEnd, protocol: Protocol): void {
    const { doors, connections } = thread;
    if (doors === undefined) return;
    end.onClosed = () => connections.delete(end);
    end.onFailed = (cause) => {
      if (!(cause instanceof ProcessEnded)) this.#parts.broken(`a session failed: ${wordsOf(cause)}`);
    };
    end.accept(doors[protocol]);
    this.#sweepSoon(thread);
  }

  // Once a second while there is somebody to look after.
  #sweepSoon(thread: Thread): void {
    if (thread.sweeping || thread.connections.size === 0) return;
    // eslint-disable-next-line no-param-reassign -- its own note
    thread.sweeping = true;
    this.#parts.runtime.after(thread.owner, 1000, () => {
      // eslint-disable-next-line no-param-reassign -- its own note
      thread.sweeping = false;
      const now = this.clock.monotonic();
      for (const connection of thread.connections) connection.sweep(now);
      this.#sweepSoon(thread);
    });
  }

  async #open(): Promise<{ readonly kind: string; readonly reason: string } | undefined> {
    const { machine } = this.#parts;
    const opened = await openWriter({
      folder: machine.folder,
      disk: this.#disk.disk,
      rows: this.#disk.rows,
      log: this.#log("store"),
      metrics: quietMetrics,
      clock: this.clock,
      keepsReserve: true,
      announce: (segmentsGone) => {
        for (const port of this.#clients) port.postMessage({ segmentsGone });
      },
    });
    if (!opened.ok) return opened.error;
    this.#writer = opened.value.writer;
    return undefined;
  }

  #startThread(index: number): void {
    if (!this.alive || (this.#threadsMade >= THREADS && !this.serving)) return;
    this.#threadsMade += 1;
    const owner = this.#owner(`thread ${index + 1}${this.#threadsMade > THREADS ? `#${this.#threadsMade}` : ""}`);
    this.#parts.runtime.soon(owner, () => this.#threads.set(index, this.#connectStore(owner)));
  }

  #connectStore(owner: Owner): Thread {
    const { runtime, machine, settings } = this.#parts;
    const [port, far] = SimPort.pair(runtime, owner, this.#store);
    const channel = new SimChannel(runtime, owner, this.#channels);
    const number = this.#numbers.take();
    this.#clients.add(far);
    const writer = this.#writer;
    if (writer === undefined) throw new Error("the store is open before it has clients");
    serveClient(far.port, writer, {
      threadNumber: number,
      leaseWords: this.#leaseWords,
      gone: () => this.#clients.delete(far),
      freed: () => this.#numbers.give(number),
    });
    const parts = {
      ...this.#disk,
      folder: machine.folder,
      port,
      channel,
      leaseWords: this.#leaseWords,
      number,
      clock: this.clock,
      log: this.#log(owner.name),
      onLost: () => undefined,
    };
    const store = storeClient(parts);
    const doors = owner === this.#main ? undefined : protocols(store, settings, parts);
    return { owner, port, channel, connections: new Set(), store, doors, sweeping: false };
  }

  #owner(name: string): Owner {
    const { runtime, number } = this.#parts;
    const owner = new Owner(`${name} of life ${number}`, runtime.seed);
    this.owners.add(owner);
    return owner;
  }

  #log(name: string) {
    return toldLog((event, fields) => {
      if (!EXPECTED.has(event)) this.#parts.tell(name, `${event} ${JSON.stringify(fields)}`);
    });
  }

  #step(what: string): void {
    this.#parts.step(what);
  }

  #later<T>(work: () => T): Promise<T> {
    const { runtime, diskMs } = this.#parts;
    const owner = runtime.current;
    return new Promise((resolve) => {
      runtime.after(owner, diskMs(), () => resolve(Promise.try(work)));
    });
  }
}

function endThread({ owner, port, channel, connections }: Thread): void {
  // eslint-disable-next-line no-param-reassign -- the end of it
  owner.alive = false;
  port.close();
  channel.close();
  for (const connection of connections) connection.died(0);
}

/** What clients tell of themselves is not told again. */
const EXPECTED: ReadonlySet<string> = new Set([
  "store.opened",
  "smtp.delivered",
  "smtp.refused",
  "pop3.session",
  "pop3.refused",
]);

/** Not told, as where the disk fails at that moment: then nothing is known of the last run. */
async function lastTimeOf(store: Store): Promise<number | undefined> {
  try {
    return await store.upkeep.lastTime();
  } catch (cause) {
    if (cause instanceof StoreError) return undefined;
    throw cause;
  }
}

function wordsOf(cause: unknown): string {
  return cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
}
