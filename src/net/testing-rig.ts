import assert from "node:assert/strict";
import type { SecureContext } from "node:tls";
import type { Clock } from "../lib/clock.ts";
import { recordingLog, testMetrics, type Recorded } from "../observe/testing.ts";
import type { Connection, ConnectionHandler } from "./connection.ts";
import { Crowd } from "./crowd.ts";
import { listen, type ListenOptions, type Listener } from "./listener.ts";
import { createNetworkLimitsMemory, NetworkLimits } from "./network-limits.ts";

const loopback = { host: "127.0.0.1", port: 0 };

/** Hears everything, says what the test tells it to. */
export class Recorder implements ConnectionHandler {
  readonly connection: Connection;
  readonly heard: string[] = [];
  readonly calls: string[] = [];
  onData: (octets: Buffer) => void = () => undefined;
  readonly #closed = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<void>();

  constructor(connection: Connection) {
    this.connection = connection;
    connection.write("hello\r\n");
  }

  data(octets: Buffer): void {
    this.heard.push(octets.toString("latin1"));
    this.onData(octets);
  }

  secured(): void {
    this.calls.push("secured");
    this.connection.write("secured\r\n");
  }

  ended(): void {
    this.calls.push("ended");
    this.#ended.resolve();
  }

  shutdown(): void {
    this.calls.push("shutdown");
    this.connection.end();
  }

  closed(): void {
    this.calls.push("closed");
    this.#closed.resolve();
  }

  tick(): void {
    this.calls.push("tick");
  }

  get isClosed(): Promise<void> {
    return this.#closed.promise;
  }

  get isEnded(): Promise<void> {
    return this.#ended.promise;
  }
}

/** Listeners whose connections are recorded, with the clock in the test's hand. */
export class Rig implements AsyncDisposable {
  readonly handlers: Recorder[] = [];
  readonly sample: (name: string) => number | undefined;
  readonly events: readonly Recorded[];
  readonly crowd: Crowd;
  now = 0;
  readonly #options: Omit<ListenOptions, "address" | "tls">;
  readonly #listeners: Listener[] = [];

  constructor(context?: SecureContext, connections = 100, ofNetwork = { connections: 100, perMinute: 100 }) {
    // The time of day is real: certificates are judged by it.
    const clock: Clock = { now: Date.now, monotonic: () => this.now };
    const memory = createNetworkLimitsMemory({ connections, threads: 1 });
    const networks = new NetworkLimits(memory, { thread: 1, limits: () => ofNetwork, clock });
    this.crowd = new Crowd({ connections, clock, networks });
    const { metrics, sample } = testMetrics();
    const { log, events } = recordingLog();
    this.sample = sample;
    this.events = events;
    this.#options = {
      protocol: "pop3",
      context: () => {
        assert.ok(context);
        return context;
      },
      busyLine: "busy\r\n",
      accept: (connection) => {
        const handler = new Recorder(connection);
        this.handlers.push(handler);
        return handler;
      },
      crowd: this.crowd,
      metrics,
      log,
    };
  }

  async listen(options: Partial<ListenOptions> = {}): Promise<Listener> {
    const listener = await listen({ ...this.#options, address: loopback, tls: "none", ...options });
    this.#listeners.push(listener);
    return listener;
  }

  get last(): Recorder {
    const last = this.handlers.at(-1);
    assert.ok(last);
    return last;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const listener of this.#listeners) await listener[Symbol.asyncDispose]();
    this.crowd[Symbol.dispose]();
  }
}
