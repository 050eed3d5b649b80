import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import path from "node:path";
import { metric } from "../../e2e/harness/http.ts";
import { addressOf, install, passwordOf } from "../../e2e/harness/installation.ts";
import { MemoryPeak, residentMib } from "../../e2e/harness/memory.ts";
import { buildRig, type LoadReport, type Rig } from "../../e2e/harness/rig.ts";
import { serve, type Server } from "../../e2e/harness/server.ts";
import { until } from "../../e2e/harness/wait.ts";
import { Faults } from "../../torture/faults.ts";

/** A kind of mail that is sent as fast as it is taken. */
export type Mail = {
  readonly protocol: "smtp" | "lmtp";
  readonly size: string;
  /** Of all connections. */
  readonly share: number;
};

export const SMALL: Mail = { protocol: "lmtp", size: "log:1000-30000", share: 0.5 };
/** As large as what is held in memory may be: together far more than all of that memory. */
export const MEDIUM: Mail = { protocol: "lmtp", size: "100000-250000", share: 0.4 };
/** Above it, and far above: to disk as it comes. */
export const LARGE: Mail = { protocol: "smtp", size: "log:300000-3000000", share: 0.1 };
/** Memory for bodies on their way in (limits.body_memory_octets), low enough that it is used up. */
export const BODY_MEMORY_MIB = 16;

/** What sessions took, in microseconds. */
export type Reading = { readonly p50: number; readonly p90: number; readonly p99: number };

/** What became of a kind of mail. */
export type Sent = {
  readonly mail: Mail;
  readonly acknowledged: number;
  readonly refused: number;
  readonly perSecond: number;
  readonly mbPerSecond: number;
  /** Of a transaction, in microseconds. */
  readonly p99: number;
  readonly errors: LoadReport["errors"];
};

const READERS = Array.from({ length: 20 }, (_, index) => `reader${index + 1}`);
const RECEIVERS = Array.from({ length: 200 }, (_, index) => `receiver${index + 1}`);
const SESSIONS_A_SECOND = 20;

/** A server on a slow disk, people who fetch from it, and senders. */
export class House {
  readonly #server: Server;
  readonly #rig: Rig;
  readonly #connections: number;
  readonly #readers: string;
  readonly #receivers: string;
  #tag = 0;

  private constructor(server: Server, rig: Rig, connections: number) {
    this.#server = server;
    this.#rig = rig;
    this.#connections = connections;
    const lines = (names: readonly string[]) => names.map((name) => [addressOf(name), passwordOf(name)] as const);
    this.#readers = rig.users("readers", lines(READERS));
    this.#receivers = rig.users("receivers", lines(RECEIVERS));
  }

  static async open(
    stack: AsyncDisposableStack,
    { syncMs, connections }: { readonly syncMs: number; readonly connections: number },
  ): Promise<House> {
    const config = {
      auth: { allow_cleartext: true },
      limits: { body_memory_octets: `${BODY_MEMORY_MIB} MiB` },
    };
    const installation = await install(stack, { users: [...READERS, ...RECEIVERS], config });
    const place = path.join(installation.folder, "rig");
    mkdirSync(place);
    const rig = await buildRig(place);
    const faults = await Faults.build(stack, place, installation.data);
    const server = await serve(stack, installation, { env: faults.env });
    const house = new House(server, rig, connections);
    await house.#deliver(house.#readers, "lmtp", ["--messages", "200", "--size", "2000", "--conns", "10"]);
    const places = ["database", "wal", "segment", "segments", "body", "bodies", "spool"] as const;
    faults.set({ calls: ["fsync", "fdatasync"], places, what: { block: syncMs } });
    return house;
  }

  /** Sessions at a modest rate, for so long. */
  async read(seconds: number): Promise<Reading> {
    const where = ["--script", "poll", "--port", String(this.#server.ports.pop3), "--users", this.#readers];
    const pace = ["--rate", String(SESSIONS_A_SECOND), "--conns", "15", "--seconds", String(seconds)];
    const report = await this.#rig.load("popload", [...where, ...pace], seconds + 60);
    assert.deepEqual(report.errors, {}, "whoever fetches mail gets it");
    return (report["latency_us"] as { session: Reading }).session;
  }

  /** Sends as fast as it is taken, for so long. */
  async send(mail: Mail, seconds: number): Promise<Sent> {
    const connections = Math.max(1, Math.round(this.#connections * mail.share));
    const words = ["--size", mail.size, "--conns", String(connections), "--seconds", String(seconds)];
    const report = await this.#deliver(this.#receivers, mail.protocol, words);
    const took = report["latency_us"] as { transaction?: Reading };
    return {
      mail,
      acknowledged: Number(report["acknowledged"]),
      refused: Number(report["rejected"]),
      perSecond: Number(report["msgs_per_s"]),
      mbPerSecond: Number(report["MB_per_s"]),
      p99: took.transaction?.p99 ?? 0,
      errors: report.errors,
    };
  }

  /** Waits until more waits than is committed at once. */
  async busy(): Promise<void> {
    await until("the senders to be at work", 30, async () => (await this.#metric("mailkeep_store_queue")) > 0);
  }

  /** The most calls that waited for the store in some looks at it. */
  async queueMost(): Promise<number> {
    let most = 0;
    for (let look = 0; look < 20; look += 1) most = Math.max(most, await this.#metric("mailkeep_store_queue"));
    return most;
  }

  /** Waits until nobody sends and nothing waits. */
  async calm(): Promise<void> {
    const none = ["smtp", "lmtp", "pop3"].map((name) => `mailkeep_connections_open{protocol="${name}"}`);
    await until("all senders to be gone and all to be stored", 60, async () => {
      for (const name of [...none, "mailkeep_store_queue"]) if ((await this.#metric(name)) !== 0) return false;
      return true;
    });
  }

  watchMemory(): Disposable & { readonly raise: number; readonly now: number } {
    const { pid } = this.#server;
    const peak = new MemoryPeak(pid);
    return {
      get raise() {
        return peak.raise;
      },
      get now() {
        return residentMib(pid) - peak.before;
      },
      [Symbol.dispose]: () => peak[Symbol.dispose](),
    };
  }

  #metric(name: string): Promise<number> {
    return metric(this.#server.ports.http, name);
  }

  #deliver(users: string, protocol: Mail["protocol"], words: readonly string[]): Promise<LoadReport> {
    this.#tag += 1;
    const where = ["--port", String(this.#server.ports[protocol]), "--users", users, "--tag", `o${this.#tag}`];
    return this.#rig.load("smtpload", [...where, ...(protocol === "lmtp" ? ["--lmtp"] : []), ...words], 300);
  }
}
