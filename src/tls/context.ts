import { constants, hash } from "node:crypto";
import type { SecureContext } from "node:tls";
import { createSecureContext } from "node:tls";
import { keepTicketsFlowing, newestTicketKey } from "./ticket-keys.ts";

/** TLS older than 1.2 is never spoken (RFC 8996). */
export type MinimumVersion = "1.2" | "1.3";

/** What a thread needs to make its context; plain data, so that the main thread can post it. */
export type CertificateMaterial = {
  /** The certificate, then those between it and the authority. */
  readonly certificatePem: string;
  readonly keyPem: string;
  readonly minimumVersion: MinimumVersion;
  /** The newest, then those whose tickets are still opened. */
  readonly ticketKeys: Uint8Array;
  /** Certificates of the authority that vouches for clients (PEM): they are asked for a certificate then. */
  readonly clientAuthority?: string;
};

// AES-128 first: on machines with AES instructions the cheapest, and not the weakest link. ECDHE and AEAD only.
const CIPHERS = [
  "TLS_AES_128_GCM_SHA256",
  "TLS_AES_256_GCM_SHA384",
  "TLS_CHACHA20_POLY1305_SHA256",
  "ECDHE-ECDSA-AES128-GCM-SHA256",
  "ECDHE-RSA-AES128-GCM-SHA256",
  "ECDHE-ECDSA-AES256-GCM-SHA384",
  "ECDHE-RSA-AES256-GCM-SHA384",
  "ECDHE-ECDSA-CHACHA20-POLY1305",
  "ECDHE-RSA-CHACHA20-POLY1305",
].join(":");
const GROUPS = "X25519:P-256";
// A POP3 client comes back within minutes. What a stolen ticket key opens is no older than this and one rotation.
const TICKET_SECONDS = 7200;

/** Makes the context of the server's side. Throws what OpenSSL says of a certificate or key that it does not take. */
export function contextOf(material: CertificateMaterial): SecureContext {
  const { clientAuthority } = material;
  const context = createSecureContext({
    cert: material.certificatePem,
    key: material.keyPem,
    minVersion: `TLSv${material.minimumVersion}`,
    maxVersion: "TLSv1.3",
    ciphers: CIPHERS,
    ecdhCurve: GROUPS,
    honorCipherOrder: true,
    // A client that renegotiates costs a handshake for one record (CVE-2011-1473).
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION | constants.SSL_OP_NO_COMPRESSION,
    ticketKeys: newestTicketKey(material.ticketKeys),
    sessionTimeout: TICKET_SECONDS,
    // OpenSSL resumes a session only where it was made for the same id. A session holds the verdict on its client's
    // certificate, which another authority would not have given; and its client knows the certificate that we showed
    // then, to which a channel may be bound (RFC 5929 §4.1).
    sessionIdContext: hash("sha256", `mailkeep ${material.certificatePem} ${clientAuthority ?? ""}`).slice(0, 32),
    // An authority may be one between a root and the clients: then it alone is meant, and not all of the root's.
    ...(clientAuthority !== undefined && { ca: clientAuthority, allowPartialTrustChain: true }),
  });
  keepTicketsFlowing(context, material.ticketKeys);
  return context;
}

/** A thread's current context. Sessions that have begun keep theirs. */
export class SecureContextHolder {
  #current: SecureContext;
  #asksForCertificate: boolean;

  constructor(material: CertificateMaterial) {
    this.#current = contextOf(material);
    this.#asksForCertificate = material.clientAuthority !== undefined;
  }

  /** Whether there is an authority that clients' certificates are judged by. */
  get asksForCertificate(): boolean {
    return this.#asksForCertificate;
  }

  current(): SecureContext {
    return this.#current;
  }

  /** Throws, and keeps the old one, when the material is no good; the main thread has checked it before. */
  replace(material: CertificateMaterial): void {
    this.#current = contextOf(material);
    this.#asksForCertificate = material.clientAuthority !== undefined;
  }
}
