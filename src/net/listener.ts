import { chmod, lstat, unlink } from "node:fs/promises";
import { connect, createServer, type Server, type Socket } from "node:net";
import type { SecureContext } from "node:tls";
import { containsAny, type Cidr } from "../model/cidr.ts";
import type { Log } from "../observe/log-port.ts";
import type { Counter, Gauge, Metrics } from "../observe/metrics-port.ts";
import type { Connection, ConnectionHandler } from "./connection.ts";
import type { Crowd } from "./crowd.ts";
import type { ProtocolName } from "./protocol.ts";
import { Refusals } from "./refusals.ts";
import { SocketConnection, type ConnectionSurroundings } from "./socket-connection.ts";

/** Where to listen: a TCP address (port 0: any free one) or a unix socket. */
export type ListenAddress = { readonly host: string; readonly port: number } | { readonly path: string };

export type TlsMode = "implicit" | "starttls" | "none";

export type ListenOptions = {
  readonly protocol: ProtocolName;
  readonly address: ListenAddress;
  /** Whether other threads listen on the same port (SO_REUSEPORT); not for unix sockets. */
  readonly reusePort?: boolean;
  readonly tls: TlsMode;
  /** The certificate of this moment; asked at each handshake, never where `tls` is "none". */
  readonly context: () => SecureContext;
  /** Whether clients are asked for a certificate at the handshake; the context then knows the authority. */
  readonly asksForCertificate?: () => boolean;
  /** Networks of proxies that name their client first (PROXY protocol); where there are any nobody else is served. */
  readonly proxyFrom?: readonly Cidr[];
  readonly proxyHeaderSeconds?: number;
  /** Said before closing when there are too many, CRLF included; not where TLS is implicit. */
  readonly busyLine: string;
  /** Makes the protocol's side of a connection; where TLS is implicit, after the handshake. */
  readonly accept: (connection: Connection) => ConnectionHandler;
  readonly crowd: Crowd;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly handshakeSeconds?: number;
  readonly closeSeconds?: number;
};

export type Listener = AsyncDisposable & {
  /** As it was bound: the real port where 0 was asked for. */
  readonly address: ListenAddress;
  /** How many connections are open. */
  readonly connections: number;
  stopAccepting(): void;
  /** Stops accepting and tells every session to come to an end. */
  shutdown(): void;
  /** Resolves when no connection is left. */
  idle(): Promise<void>;
  /** Closes the listener and destroys what is still connected. */
  [Symbol.asyncDispose](): Promise<void>;
};

// A burst of clients waits in the kernel rather than being refused; the kernel cuts the figure to its own limit.
const BACKLOG = 4096;
// With libuv's ten probes of a second each a peer that is gone without a word is found within 70 s (issue 4 asks for 120).
const KEEP_ALIVE_MS = 60_000;
const HANDSHAKE_SECONDS = 30;
const CLOSE_SECONDS = 10;
// A header is in the proxy's first segment. The specification asks for patience with one that was lost: 3 s and more.
const PROXY_HEADER_SECONDS = 5;

// Only registered ALPN names are spoken (rule TLS-06); SMTP and LMTP have none.
const ALPN: Record<ProtocolName, readonly string[]> = { pop3: ["pop3"], smtp: [], submission: [], lmtp: [] };

/** Binds an address and serves the connections that come; rejects with the system's error when it cannot be bound. */
export async function listen(options: ListenOptions): Promise<Listener> {
  const listener = new SocketListener(options);
  await listener.bind();
  return listener;
}

class SocketListener implements Listener {
  readonly #options: ListenOptions;
  readonly #server: Server;
  readonly #open = new Set<SocketConnection>();
  readonly #surroundings: ConnectionSurroundings;
  readonly #accepted: Counter;
  readonly #refusals: Refusals;
  readonly #openGauge: Gauge;
  #waiting: (() => void)[] = [];
  #lastErrorAt = -Infinity;

  constructor(options: ListenOptions) {
    this.#options = options;
    const { protocol, metrics } = options;
    this.#accepted = metrics.counter("mailkeep_connections_total", protocol);
    this.#refusals = new Refusals({ protocol, metrics, log: options.log, clock: options.crowd.clock });
    this.#openGauge = metrics.gauge("mailkeep_connections_open", protocol);
    this.#surroundings = {
      protocol,
      unix: "path" in options.address,
      implicitTls: options.tls === "implicit",
      tls: {
        context: options.context,
        asksForCertificate: options.asksForCertificate ?? (() => false),
        alpn: ALPN[protocol],
      },
      proxyHeaderSeconds: options.proxyFrom?.length ? (options.proxyHeaderSeconds ?? PROXY_HEADER_SECONDS) : undefined,
      handshakeSeconds: options.handshakeSeconds ?? HANDSHAKE_SECONDS,
      closeSeconds: options.closeSeconds ?? CLOSE_SECONDS,
      clock: options.crowd.clock,
      queues: options.crowd.queues,
      log: options.log,
      handshakes: {
        full: metrics.counter("mailkeep_tls_handshakes_total", "full"),
        resumed: metrics.counter("mailkeep_tls_handshakes_total", "resumed"),
        failed: metrics.counter("mailkeep_tls_handshakes_total", "failed"),
      },
      admit: (connection) => this.#admit(connection),
      badHeader: (connection, reason) => this.#refusals.note("proxy-header", connection.peer.address, reason),
      accept: options.accept,
      onClosed: (connection) => this.#onClosed(connection),
    };
    this.#server = createServer(
      { allowHalfOpen: true, noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS },
      (socket) => this.#onConnection(socket),
    );
  }

  async bind(): Promise<void> {
    const { address, reusePort = false } = this.#options;
    if ("path" in address) {
      await removeStale(address.path);
      await this.#listen({ path: address.path, backlog: BACKLOG });
      // As Postfix and Dovecot do: who may connect is decided by the folder. A server of another user must be able to
      // hand mail over, and LMTP trusts its peer with no more than port 25 does.
      await chmod(address.path, 0o666);
    } else {
      const { host, port } = address;
      await this.#listen({ host, port, reusePort, backlog: BACKLOG, ipv6Only: host.includes(":") });
    }
    // From here on an error is one of accept (EMFILE, ENFILE, ENOBUFS): the listener lives on.
    this.#server.on("error", (error) => this.#onError(error));
  }

  get address(): ListenAddress {
    const { address } = this.#options;
    const bound = this.#server.address();
    if ("path" in address || bound === null || typeof bound === "string") return address;
    return { host: address.host, port: bound.port };
  }

  get connections(): number {
    return this.#open.size;
  }

  stopAccepting(): void {
    if (this.#server.listening) this.#server.close();
  }

  shutdown(): void {
    this.stopAccepting();
    for (const connection of this.#open) connection.shutdown();
    void this.#letGo();
  }

  idle(): Promise<void> {
    if (this.#open.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stopAccepting();
    for (const connection of this.#open) connection.destroy();
    await this.idle();
  }

  /** Who has everything already and only keeps its end open is not waited for; the others are looked at each second. */
  async #letGo(): Promise<void> {
    const { queues, clock } = this.#options.crowd;
    await queues.refresh(clock.monotonic());
    for (const connection of this.#open) connection.letGo(clock.monotonic());
  }

  #listen(how: Parameters<Server["listen"]>[0]): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(how, () => {
        this.#server.removeListener("error", reject);
        resolve();
      });
    });
  }

  #onConnection(socket: Socket): void {
    const connection = new SocketConnection(socket, this.#surroundings);
    const { crowd, busyLine, proxyFrom } = this.#options;
    if (!crowd.add(connection)) {
      this.#refusals.note("full", connection.peer.address);
      return connection.turnAway(busyLine);
    }
    this.#openGauge.add(1);
    this.#open.add(connection);
    if (!proxyFrom?.length || containsAny(proxyFrom, connection.peer.address)) return connection.begin();
    // There is nothing to say to somebody who came past the proxy. Who is gone already was no client: a port was looked at.
    if (connection.peer.address !== "unknown") this.#refusals.note("not-a-proxy", connection.peer.address);
    connection.destroy();
  }

  /** Applies the limits by network, once the peer is known. */
  #admit(connection: SocketConnection): boolean {
    const entered = this.#options.crowd.networks?.enter(connection.peer);
    if (entered !== undefined && "crowded" in entered) {
      this.#refusals.note(entered.crowded, connection.peer.address);
      connection.turnAway(this.#options.busyLine);
      return false;
    }
    connection.network = entered?.network;
    this.#accepted.add();
    return true;
  }

  #onClosed(connection: SocketConnection): void {
    if (!this.#open.delete(connection)) return;
    const { crowd } = this.#options;
    crowd.delete(connection);
    if (connection.network !== undefined) crowd.networks?.leave(connection.network);
    this.#openGauge.add(-1);
    if (this.#open.size > 0) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }

  // Without descriptors every accept fails; one line a second says so.
  #onError(error: Error): void {
    const now = this.#options.crowd.clock.monotonic();
    if (now - this.#lastErrorAt < 1000) return;
    this.#lastErrorAt = now;
    const { protocol, log } = this.#options;
    log.error("listener.failed", { protocol, address: addressText(this.address), reason: error.message });
  }
}

/** An address as operators write it: `127.0.0.1:110`, `[::]:110`, `unix:/run/x.sock`. */
export function addressText(address: ListenAddress): string {
  if ("path" in address) return `unix:${address.path}`;
  return address.host.includes(":") ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}

/** A socket file outlives a killed server: it is removed when nobody listens on it, and only then. */
async function removeStale(path: string): Promise<void> {
  const code = await new Promise<string | undefined>((resolve) => {
    const probe = connect({ path });
    probe.on("connect", () => {
      probe.destroy();
      resolve(undefined);
    });
    probe.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? ""));
  });
  // A living server is left alone: the bind then says EADDRINUSE. A file that is no socket is ECONNREFUSED too on
  // Linux, but unlinking somebody's file is not ours to do: ENOTSOCK and all else is left to the bind.
  if (code === "ECONNREFUSED") await removeSocket(path);
}

async function removeSocket(path: string): Promise<void> {
  if ((await lstat(path)).isSocket()) await unlink(path);
}
