import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import type { Clock } from "../lib/clock.ts";
import type { Peer } from "../model/peer.ts";
import type { Log } from "../observe/log-port.ts";
import type { Counter } from "../observe/metrics-port.ts";
import { endPointBinding, exporterBinding } from "./channel-binding.ts";
import type { Connection, ConnectionHandler, TlsState } from "./connection.ts";
import type { KernelQueues } from "./kernel-queues.ts";
import type { ProtocolName } from "./protocol.ts";
import type { ProxyHeader } from "./proxy-header.ts";
import { ProxyHeaderParser } from "./proxy-protocol.ts";
import { secureSocket, tlsReasonOf, tlsStateOf, type ServerTls } from "./server-tls.ts";
import { peerOf } from "./socket-peer.ts";

/** What all connections of one listener share. */
export type ConnectionSurroundings = {
  readonly protocol: ProtocolName;
  /** Whether peers come by a unix socket and so have no address. */
  readonly unix: boolean;
  readonly implicitTls: boolean;
  readonly tls: ServerTls;
  /** How long a proxy may take for its header; undefined: no header is looked for. */
  readonly proxyHeaderSeconds: number | undefined;
  readonly handshakeSeconds: number;
  readonly closeSeconds: number;
  readonly clock: Clock;
  readonly queues: KernelQueues;
  readonly log: Log;
  readonly handshakes: { readonly full: Counter; readonly resumed: Counter; readonly failed: Counter };
  /** Whether its peer, who is known by now, may come in; false: it was turned away. */
  readonly admit: (connection: SocketConnection) => boolean;
  /** Told of a proxy's header that is none or does not come; the connection is destroyed next. */
  readonly badHeader: (connection: SocketConnection, reason: string) => void;
  /** Makes the protocol's side once there is something to speak over. */
  readonly accept: (connection: Connection) => ConnectionHandler;
  readonly onClosed: (connection: SocketConnection) => void;
};

// What a peer may still push after our FIN before it is reset: enough for commands that were under way.
const DISCARD_OCTETS = 256 * 1024;
// From here on the kernel is asked; every limit on stalled readers is longer than twice this.
const DOUBT_MS = 3000;

/** A connection over a socket of node:net, later perhaps wrapped by TLS. */
export class SocketConnection implements Connection {
  readonly #surroundings: ConnectionSurroundings;
  #socket: Socket;
  // The one with a descriptor, also under TLS.
  readonly #clear: Socket;
  /** The network that it is counted by. */
  network: string | undefined;
  #handler: ConnectionHandler | undefined;
  #header: ProxyHeaderParser | undefined;
  #peer: Peer | undefined;
  #tls: TlsState | undefined;
  #handshaking = false;
  #ending = false;
  #closed = false;
  // The server stops: nobody is waited for who has everything.
  #stopping = false;
  #discarded = 0;
  // Of the proxy's header, of the handshake or of the close under way.
  #deadline = Infinity;
  #queued = 0;
  #inKernel: number | undefined;
  #wasTaken = false;
  #stalledSince = Infinity;
  #lastProgress: number;

  constructor(socket: Socket, surroundings: ConnectionSurroundings) {
    this.#socket = socket;
    this.#clear = socket;
    this.#surroundings = surroundings;
    this.#lastProgress = surroundings.clock.monotonic();
    this.#listen(socket);
    socket.on("close", () => this.#onClose());
  }

  /** Lets the protocol speak: at once, or after the proxy's header and the handshake where there are such. */
  begin(): void {
    const { proxyHeaderSeconds, clock } = this.#surroundings;
    if (proxyHeaderSeconds === undefined) return this.#enter(undefined);
    this.#header = new ProxyHeaderParser();
    this.#deadline = clock.monotonic() + proxyHeaderSeconds * 1000;
  }

  /** Says why, where the peer can read it, and closes without waiting for anybody. */
  turnAway(reason: string): void {
    // The greeting's place is taken by the reason; a handshake only to say it would cost what the limit saves.
    if (this.#surroundings.implicitTls) return this.destroy();
    this.#ending = true;
    this.#socket.end(reason, "latin1", () => this.destroy());
  }

  get peer(): Peer {
    this.#peer ??= peerOf(this.#socket, this.#surroundings.unix);
    return this.#peer;
  }

  get tls(): TlsState | undefined {
    return this.#tls;
  }

  binding(type: "tls-exporter" | "tls-server-end-point"): Uint8Array | undefined {
    if (this.#closed || this.#handshaking || !(this.#socket instanceof TLSSocket)) return undefined;
    return type === "tls-exporter" ? exporterBinding(this.#socket) : endPointBinding(this.#socket);
  }

  get unsent(): number {
    return this.#socket.writableLength;
  }

  get lastProgress(): number {
    return this.#lastProgress;
  }

  get stalledSince(): number {
    return this.#stalledSince;
  }

  write(octets: Uint8Array | string, taken?: () => void): void {
    if (this.#closed || this.#ending) return;
    const done = taken && ((error?: Error | null) => this.#onTaken(error, taken));
    if (typeof octets === "string") this.#socket.write(octets, "latin1", done);
    else this.#socket.write(octets, done);
    if (done === undefined && this.#socket.writableLength === 0) this.#noteTaken();
  }

  cork(): void {
    this.#socket.cork();
  }

  uncork(): void {
    this.#socket.uncork();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  startTls(): void {
    if (this.#closed || this.#ending) return;
    const clear = this.#socket;
    // The address is asked while the socket still has it.
    this.#peer ??= peerOf(clear, this.#surroundings.unix);
    clear.removeAllListeners("data");
    clear.removeAllListeners("end");
    this.#handshaking = true;
    this.#deadline = this.#surroundings.clock.monotonic() + this.#surroundings.handshakeSeconds * 1000;
    const secure = secureSocket(clear, this.#surroundings.tls);
    this.#socket = secure;
    this.#listen(secure);
    secure.on("secure", () => this.#onSecure(secure));
    // A server-side TLSSocket that no tls.Server owns tells of errors after the handshake only by this event.
    secure.on("_tlsError", (error: Error) => this.#onTlsError(error));
    secure.on("close", () => clear.destroy());
  }

  end(): void {
    if (this.#closed || this.#ending) return;
    this.#ending = true;
    this.#deadline = this.#surroundings.clock.monotonic() + this.#surroundings.closeSeconds * 1000;
    this.#socket.end();
    // What still comes is read and dropped: closing over unread octets would reset the connection under our last answer.
    this.#socket.resume();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  reset(): void {
    // A socket of the file system cannot be reset.
    if (this.#surroundings.unix) this.destroy();
    else this.#clear.resetAndDestroy();
  }

  fail(cause: unknown): void {
    const reason = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
    this.#surroundings.log.error("connection.failed", {
      protocol: this.#surroundings.protocol,
      peer: this.peer.address,
      reason,
    });
    this.destroy();
  }

  /** Asks the protocol to come to an end; a connection still in its first handshake has nothing to finish. */
  shutdown(): void {
    this.#stopping = true;
    if (this.#handler === undefined) this.destroy();
    else this.#guarded(this.#handler, shutdownOf);
  }

  /** While the server stops: closes when we have ended and the peer has all of it, though it has not closed itself. */
  letGo(now: number): void {
    if (this.#stopping && this.#ending && this.#surroundings.queues.isFinished(this.#clear, now)) this.destroy();
  }

  /** Once a second: the deadlines of the connection itself, then those of its protocol. */
  sweep(now: number): void {
    if (this.#closed) return;
    if (now >= this.#deadline) {
      if (this.#handshaking) this.#onTlsError(new Error("handshake deadline"));
      if (this.#header !== undefined) this.#surroundings.badHeader(this, "late");
      this.destroy();
      return;
    }
    this.letGo(now);
    this.#noteWriteProgress(now);
    if (this.#ending || this.#handshaking || this.#handler === undefined) return;
    try {
      this.#handler.tick(now);
    } catch (cause) {
      this.fail(cause);
    }
  }

  #listen(socket: Socket): void {
    socket.on("data", (octets: Buffer) => this.#onData(octets));
    socket.on("end", () => this.#onEnd());
    // The reason matters to nobody; "close" follows.
    socket.on("error", ignore);
  }

  #onHeader(parser: ProxyHeaderParser, octets: Buffer): void {
    const outcome = parser.push(octets);
    if (outcome === undefined) return;
    this.#header = undefined;
    this.#deadline = Infinity;
    if (!outcome.ok) {
      this.#surroundings.badHeader(this, outcome.error);
      return this.destroy();
    }
    const { header, rest } = outcome.value;
    // What came behind the header is given back to the socket, for whoever reads it next.
    this.#socket.pause();
    if (rest.length > 0) this.#socket.unshift(rest);
    this.#enter(header);
    if (!this.#closed && !this.#ending && !this.#surroundings.implicitTls) this.#socket.resume();
  }

  #enter(header: ProxyHeader | undefined): void {
    if (header?.kind === "proxied") {
      this.#peer = header.peer;
      this.#tls = header.tls;
    }
    // A proxy's own connections, such as its health checks, are no crowd.
    if (header?.kind !== "local" && !this.#surroundings.admit(this)) return;
    if (this.#surroundings.implicitTls) this.startTls();
    else this.#accept();
  }

  #accept(): void {
    try {
      this.#handler = this.#surroundings.accept(this);
    } catch (cause) {
      this.fail(cause);
    }
  }

  #onData(octets: Buffer): void {
    this.#lastProgress = this.#surroundings.clock.monotonic();
    if (this.#ending) {
      this.#discarded += octets.length;
      if (this.#discarded > DISCARD_OCTETS) this.destroy();
      return;
    }
    if (this.#header !== undefined) return this.#onHeader(this.#header, octets);
    try {
      this.#handler?.data(octets);
    } catch (cause) {
      this.fail(cause);
    }
  }

  #onEnd(): void {
    // A FIN in place of the handshake's next message ends it; after our own FIN both sides are done by themselves.
    if (this.#handshaking || this.#header !== undefined) this.destroy();
    else if (!this.#ending && this.#handler !== undefined) this.#guarded(this.#handler, endedOf);
  }

  #onSecure(socket: TLSSocket): void {
    if (this.#closed || this.#ending) return;
    this.#handshaking = false;
    this.#deadline = Infinity;
    const { handshakes } = this.#surroundings;
    (socket.isSessionReused() ? handshakes.resumed : handshakes.full).add();
    this.#tls = tlsStateOf(socket, this.#surroundings.tls, this.#surroundings.clock.now());
    if (this.#handler === undefined) this.#accept();
    else this.#guarded(this.#handler, securedOf);
  }

  #onTlsError(error: Error): void {
    if (this.#handshaking && !this.#closed) {
      this.#handshaking = false;
      this.#surroundings.handshakes.failed.add();
      this.#surroundings.log.info("tls.handshake.failed", {
        protocol: this.#surroundings.protocol,
        peer: this.peer.address,
        reason: tlsReasonOf(error),
      });
    }
    this.destroy();
  }

  #onTaken(error: Error | null | undefined, taken: () => void): void {
    if (error || this.#closed || this.#socket.destroyed) return;
    this.#noteTaken();
    try {
      taken();
    } catch (cause) {
      this.fail(cause);
    }
  }

  #noteTaken(): void {
    this.#lastProgress = this.#surroundings.clock.monotonic();
    this.#wasTaken = true;
  }

  // One large write may take minutes on a slow line: that the kernel's queue changed at all is the progress. The figure is
  // the one that node:net's own timeout looks at; where a stream has none, only a whole write counts.
  #noteWriteProgress(now: number): void {
    if (this.#socket.writableLength === 0) {
      this.#stalledSince = Infinity;
      this.#inKernel = undefined;
      return;
    }
    const { ["_handle"]: handle } = this.#socket as { readonly _handle?: { readonly writeQueueSize?: number } | null };
    const queued = handle?.writeQueueSize ?? 0;
    const moved = queued !== this.#queued || this.#wasTaken || this.#kernelQueueFell(now);
    if (moved || this.#stalledSince === Infinity) {
      if (this.#stalledSince !== Infinity) this.#lastProgress = now;
      this.#stalledSince = now;
    }
    this.#queued = queued;
    this.#wasTaken = false;
  }

  /** Whether the peer has taken octets that the kernel had; looked at only once nothing else has moved for a while. */
  #kernelQueueFell(now: number): boolean {
    if (this.#stalledSince === Infinity || now - this.#stalledSince < DOUBT_MS) return false;
    const octets = this.#surroundings.queues.look(this.#clear, now);
    const fell = octets !== undefined && this.#inKernel !== undefined && octets < this.#inKernel;
    this.#inKernel = octets ?? this.#inKernel;
    return fell;
  }

  #guarded(handler: ConnectionHandler, call: (handler: ConnectionHandler) => void): void {
    try {
      call(handler);
    } catch (cause) {
      this.fail(cause);
    }
  }

  #onClose(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#surroundings.onClosed(this);
    if (this.#handler !== undefined) this.#guarded(this.#handler, closedOf);
  }
}

const shutdownOf = (handler: ConnectionHandler): void => handler.shutdown();
const endedOf = (handler: ConnectionHandler): void => handler.ended();
const securedOf = (handler: ConnectionHandler): void => handler.secured();
const closedOf = (handler: ConnectionHandler): void => handler.closed();
const ignore = (): void => {};
