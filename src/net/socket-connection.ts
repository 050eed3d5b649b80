import type { Socket } from "node:net";
import { TLSSocket, type SecureContext } from "node:tls";
import type { Clock } from "../lib/clock.ts";
import type { Peer } from "../model/peer.ts";
import type { Log } from "../observe/log-port.ts";
import type { Counter } from "../observe/metrics-port.ts";
import type { Connection, ConnectionHandler, TlsState } from "./connection.ts";
import type { KernelQueues } from "./kernel-queues.ts";
import type { ProtocolName } from "./protocol.ts";

/** What all connections of one listener share. */
export type ConnectionSurroundings = {
  readonly protocol: ProtocolName;
  /** Whether peers come by a unix socket and so have no address. */
  readonly unix: boolean;
  /** Asked at each handshake, so that a new certificate holds for the next client. */
  readonly context: () => SecureContext;
  /** ALPN names that are spoken here (rule TLS-06); none: the client's wish is not looked at. */
  readonly alpn: readonly string[];
  readonly handshakeSeconds: number;
  readonly closeSeconds: number;
  readonly clock: Clock;
  readonly queues: KernelQueues;
  readonly log: Log;
  readonly handshakes: { readonly full: Counter; readonly resumed: Counter; readonly failed: Counter };
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
  #handler: ConnectionHandler | undefined;
  #peer: Peer | undefined;
  #tls: TlsState | undefined;
  #handshaking = false;
  #ending = false;
  #closed = false;
  #discarded = 0;
  // Of the handshake or of the close under way.
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

  /** Lets the protocol speak: at once, or after the handshake where TLS is implicit. */
  begin(implicitTls: boolean): void {
    if (implicitTls) this.startTls();
    else this.#accept();
  }

  get peer(): Peer {
    this.#peer ??= peerOf(this.#socket, this.#surroundings.unix);
    return this.#peer;
  }

  get tls(): TlsState | undefined {
    return this.#tls;
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
    const { alpn } = this.#surroundings;
    const secure = new TLSSocket(clear, {
      isServer: true,
      secureContext: this.#surroundings.context(),
      ...(alpn.length > 0 && { ALPNProtocols: [...alpn] }),
    });
    secure.disableRenegotiation();
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
    if (this.#handler === undefined) this.destroy();
    else this.#guarded(this.#handler, shutdownOf);
  }

  /** Once a second: the deadlines of the connection itself, then those of its protocol. */
  sweep(now: number): void {
    if (this.#closed) return;
    if (now >= this.#deadline) {
      if (this.#handshaking) this.#onTlsError(new Error("handshake deadline"));
      this.destroy();
      return;
    }
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
    try {
      this.#handler?.data(octets);
    } catch (cause) {
      this.fail(cause);
    }
  }

  #onEnd(): void {
    // A FIN in place of the handshake's next message ends it; after our own FIN both sides are done by themselves.
    if (this.#handshaking) this.destroy();
    else if (!this.#ending && this.#handler !== undefined) this.#guarded(this.#handler, endedOf);
  }

  #onSecure(socket: TLSSocket): void {
    if (this.#closed || this.#ending) return;
    this.#handshaking = false;
    this.#deadline = Infinity;
    const { handshakes } = this.#surroundings;
    (socket.isSessionReused() ? handshakes.resumed : handshakes.full).add();
    this.#tls = { version: socket.getProtocol() ?? "", cipher: socket.getCipher()?.name ?? "" };
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
        reason: reasonOf(error),
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

function peerOf(socket: Socket, unix: boolean): Peer {
  if (unix) return { address: "unix", port: 0 };
  const { remoteAddress: address, remotePort: port } = socket;
  // The kernel forgets the address of a connection that was reset before anybody asked.
  if (address === undefined || port === undefined) return { address: "unknown", port: 0 };
  const mapped = address.startsWith("::ffff:") && address.includes(".");
  return { address: mapped ? address.slice(7) : address, port };
}

/** OpenSSL's own few words; its whole line names files of its source and ends in a line feed. */
function reasonOf(error: Error): string {
  return "reason" in error && typeof error.reason === "string" ? error.reason : error.message.trim();
}
