import type { ClientCertificate, Peer } from "../model/peer.ts";

/** What a protocol's driver is told about its connection. Nothing is called after `closed`. */
export type ConnectionHandler = {
  /** Octets that arrived; not called while paused, during a handshake or after `end`. */
  data(octets: Buffer): void;
  /** The TLS handshake of `startTls` is over. */
  secured(): void;
  /** The peer sent its FIN: no more data will come, what is written still goes out. */
  ended(): void;
  /** The server is stopping: come to an end as soon as that costs the client nothing. */
  shutdown(): void;
  /** Called exactly once, whatever the end. */
  closed(): void;
  /** Once a second, for deadlines (one sweep for all connections instead of timers of their own). */
  tick(nowMonotonicMs: number): void;
};

/** What is known of the TLS layer, for logs, traces and CAPA. */
export type TlsState = {
  readonly version: string;
  readonly cipher: string;
  /** Whether a trusted proxy has the TLS, and told so (PROXY v2, PP2_TYPE_SSL): there is nothing here to bind to. */
  readonly atProxy?: boolean;
  /** The client's certificate, where one was asked for and the configured authority vouches for it. */
  readonly certificate?: ClientCertificate;
};

/** A client's connection with backpressure and TLS upgrade. */
export type Connection = {
  readonly peer: Peer;
  readonly tls: TlsState | undefined;
  /** The data of a channel binding to our own TLS (RFC 9266, RFC 5929 §4); undefined: it cannot be had. */
  binding(type: "tls-exporter" | "tls-server-end-point"): Uint8Array | undefined;
  /** Octets written that the kernel has not taken yet. */
  readonly unsent: number;
  /** Monotonic ms of the last octet read from or taken by the peer. */
  readonly lastProgress: number;
  /** Monotonic ms since when the peer has taken nothing of what is unsent, to the second; Infinity: nothing is unsent. */
  readonly stalledSince: number;
  /** A string is sent as latin1. `taken` is called when the kernel has all of it; never after the connection is gone. */
  write(octets: Uint8Array | string, taken?: () => void): void;
  /** Between cork and uncork writes are gathered into one system call. */
  cork(): void;
  uncork(): void;
  pause(): void;
  resume(): void;
  /**
   * Begins the server's side of a handshake with the listener's certificate of this moment (rule TLS-02); what was
   * received before is dropped by the caller. `secured` follows, or the connection closes within the handshake deadline.
   */
  startTls(): void;
  /** Sends what was written, then closes (TLS: close_notify first). Ends within the close deadline whatever the peer does. */
  end(): void;
  /** Closes at once, dropping what was not sent. */
  destroy(): void;
  /** The same by a reset, so that nobody takes what came for all there is: some clients take a close for the end of a message. */
  reset(): void;
  /** An error of ours that nobody can handle: it is logged as `connection.failed` and the connection destroyed. */
  fail(cause: unknown): void;
};
