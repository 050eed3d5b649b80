import { constants, randomBytes } from "node:crypto";
import type { SecureContext } from "node:tls";
import { createSecureContext } from "node:tls";

/** TLS older than 1.2 is never spoken (RFC 8996). */
export type MinimumVersion = "1.2" | "1.3";

/** What a thread needs to make its context; plain data, so that the main thread can post it. */
export type CertificateMaterial = {
  /** The certificate, then those between it and the authority. */
  readonly certificatePem: string;
  readonly keyPem: string;
  readonly minimumVersion: MinimumVersion;
  readonly ticketKeys: Uint8Array;
};

const TICKET_KEYS_OCTETS = 48;

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

/** Keys for session tickets. All threads share them, so that a client may resume on whichever thread it meets. */
export function newTicketKeys(): Uint8Array {
  return new Uint8Array(randomBytes(TICKET_KEYS_OCTETS));
}

/** Makes the context of the server's side. Throws what OpenSSL says of a certificate or key that it does not take. */
export function contextOf(material: CertificateMaterial): SecureContext {
  return createSecureContext({
    cert: material.certificatePem,
    key: material.keyPem,
    minVersion: `TLSv${material.minimumVersion}`,
    maxVersion: "TLSv1.3",
    ciphers: CIPHERS,
    ecdhCurve: GROUPS,
    honorCipherOrder: true,
    // A client that renegotiates costs a handshake for one record (CVE-2011-1473).
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION | constants.SSL_OP_NO_COMPRESSION,
    ticketKeys: Buffer.from(material.ticketKeys),
    // OpenSSL resumes a session only where it was made for the same id.
    sessionIdContext: "mailkeep",
  });
}

/** A thread's current context. Sessions that have begun keep theirs. */
export class SecureContextHolder {
  #current: SecureContext;

  constructor(material: CertificateMaterial) {
    this.#current = contextOf(material);
  }

  current(): SecureContext {
    return this.#current;
  }

  /** Throws, and keeps the old one, when the material is no good; the main thread has checked it before. */
  replace(material: CertificateMaterial): void {
    this.#current = contextOf(material);
  }
}
