import { hash, type X509Certificate } from "node:crypto";
import type { TLSSocket } from "node:tls";
import { DER_OBJECT_IDENTIFIER, DER_SEQUENCE, readDer, readInside } from "../lib/der.ts";

/*
 * What a client and we both know of the TLS connection between us and nobody in the middle can make the same (RFC 5929,
 * RFC 9266). undefined, where it cannot be had safely: a mechanism that needs it then fails instead of being weaker.
 */

const EXPORTER_LABEL = "EXPORTER-Channel-Binding";
const EXPORTER_OCTETS = 32;
// [13] of OpenSSL's SSL_SESSION, and the flag of it that says "extended master secret".
const SESSION_FLAGS = 0xad;
const EXTENDED_MASTER_SECRET = 0x01;

/**
 * RFC 9266 §2: label and length as there, a context of length zero. §4.2 needs a unique master secret: always in TLS 1.3,
 * in TLS 1.2 only by RFC 7627, which Node tells nobody but its serialized session does.
 */
export function exporterBinding(socket: TLSSocket): Uint8Array | undefined {
  const version = socket.getProtocol();
  const unique = version === "TLSv1.3" || (version === "TLSv1.2" && hasExtendedMasterSecret(socket.getSession()));
  return unique ? socket.exportKeyingMaterial(EXPORTER_OCTETS, EXPORTER_LABEL, Buffer.alloc(0)) : undefined;
}

/** RFC 5929 §4.1: the hash of the certificate that we showed on this very connection. */
export function endPointBinding(socket: TLSSocket): Uint8Array | undefined {
  const certificate = socket.getX509Certificate();
  const algorithm = certificate && hashOf(certificate);
  return certificate && algorithm !== undefined ? hash(algorithm, certificate.raw, "buffer") : undefined;
}

function hasExtendedMasterSecret(session: Buffer | undefined): boolean {
  const flags = session && readInside(session, DER_SEQUENCE)?.find(({ tag }) => tag === SESSION_FLAGS);
  const value = flags && readDer(flags.value)?.[0]?.value;
  return ((value?.at(-1) ?? 0) & EXTENDED_MASTER_SECRET) !== 0;
}

// MD5 and SHA-1 count as SHA-256 (RFC 5929 §4.1).
const HASHES: ReadonlyMap<string, string> = new Map([
  ["1.2.840.113549.1.1.4", "sha256"],
  ["1.2.840.113549.1.1.5", "sha256"],
  ["1.2.840.113549.1.1.14", "sha224"],
  ["1.2.840.113549.1.1.11", "sha256"],
  ["1.2.840.113549.1.1.12", "sha384"],
  ["1.2.840.113549.1.1.13", "sha512"],
  ["1.2.840.10045.4.1", "sha256"],
  ["1.2.840.10045.4.3.1", "sha224"],
  ["1.2.840.10045.4.3.2", "sha256"],
  ["1.2.840.10045.4.3.3", "sha384"],
  ["1.2.840.10045.4.3.4", "sha512"],
]);
const RSA_PSS = "1.2.840.113549.1.1.10";
// Contents of the object identifiers of the hashes; SHA-1 is RSASSA-PSS's default.
const PSS_HASHES: ReadonlyMap<string, string> = new Map([
  ["2b0e03021a", "sha256"],
  ["608648016503040204", "sha224"],
  ["608648016503040201", "sha256"],
  ["608648016503040202", "sha384"],
  ["608648016503040203", "sha512"],
]);
const PSS_HASH_ALGORITHM = 0xa0;

/** The hash of the signature in it; undefined where there is none (Ed25519), as RFC 5929 §4.1 has it. */
function hashOf(certificate: X509Certificate): string | undefined {
  const { signatureAlgorithmOid: algorithm } = certificate;
  return algorithm === RSA_PSS ? pssHashOf(certificate.raw) : HASHES.get(algorithm);
}

/** RFC 4055 §3.1. */
function pssHashOf(certificate: Uint8Array): string | undefined {
  const [, algorithm] = readInside(certificate, DER_SEQUENCE) ?? [];
  const [, parameters] = (algorithm && readDer(algorithm.value)) ?? [];
  const told = parameters && readDer(parameters.value)?.find(({ tag }) => tag === PSS_HASH_ALGORITHM);
  if (told === undefined) return "sha256";
  const identifier = readInside(told.value, DER_SEQUENCE)?.find(({ tag }) => tag === DER_OBJECT_IDENTIFIER);
  return PSS_HASHES.get(Buffer.from(identifier?.value ?? []).toString("hex"));
}
