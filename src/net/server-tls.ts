import type { Socket } from "node:net";
import { TLSSocket, type SecureContext } from "node:tls";
import { clientCertificateOf } from "./client-certificate.ts";
import type { TlsState } from "./connection.ts";

/** How the connections of one listener come to TLS. */
export type ServerTls = {
  /** Asked at each handshake, so that a new certificate holds for the next client. */
  readonly context: () => SecureContext;
  /** Whether clients are asked for a certificate; one without a good one goes on without. */
  readonly asksForCertificate: () => boolean;
  /** ALPN names that are spoken here (rule TLS-06); none: the client's wish is not looked at. */
  readonly alpn: readonly string[];
};

/** Puts the server's side of TLS over a socket. The handshake begins when the peer does. */
export function secureSocket(clear: Socket, { context, asksForCertificate, alpn }: ServerTls): TLSSocket {
  const secure = new TLSSocket(clear, {
    isServer: true,
    secureContext: context(),
    ...(alpn.length > 0 && { ALPNProtocols: [...alpn] }),
    ...(asksForCertificate() && { requestCert: true, rejectUnauthorized: false }),
  });
  secure.disableRenegotiation();
  return secure;
}

/** What there is to know after a handshake. */
export function tlsStateOf(socket: TLSSocket, { asksForCertificate }: ServerTls, now: number): TlsState {
  const certificate = asksForCertificate() ? clientCertificateOf(socket, now) : undefined;
  return {
    version: socket.getProtocol() ?? "",
    cipher: socket.getCipher()?.name ?? "",
    ...(certificate !== undefined && { certificate }),
  };
}

/** OpenSSL's own few words; its whole line names files of its source and ends in a line feed. */
export function tlsReasonOf(error: Error): string {
  return "reason" in error && typeof error.reason === "string" ? error.reason : error.message.trim();
}
