import type { X509Certificate } from "node:crypto";
import type { TLSSocket } from "node:tls";
import { DER_OBJECT_IDENTIFIER, DER_OCTET_STRING, DER_SEQUENCE, readDer, readInside } from "../lib/der.ts";
import type { ClientCertificate } from "../model/peer.ts";

/**
 * What the certificate names that a client showed; undefined: it showed none, or none that the authority vouches for
 * now. A session that is resumed brings the certificate and the verdict of its first handshake.
 */
export function clientCertificateOf(socket: TLSSocket, now: number): ClientCertificate | undefined {
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined || !isVerified(socket)) return undefined;
  // A session may live longer than the certificate that it began with.
  if (now < certificate.validFromDate.getTime() || now > certificate.validToDate.getTime()) return undefined;
  return { emails: emailsOf(certificate.raw), commonName: commonNameOf(certificate) };
}

/** OpenSSL's verdict: tls.Server asks for it by the same name, and offers it nowhere to a socket that has no server. */
function isVerified(socket: TLSSocket): boolean {
  const { ["_handle"]: handle } = socket as { readonly _handle?: { verifyError?(): Error | null } | null };
  return typeof handle?.verifyError === "function" && handle.verifyError() === null;
}

/** None, where there are several: which was meant? */
function commonNameOf(certificate: X509Certificate): string {
  const { subject } = certificate.toLegacyObject() as { readonly subject?: { readonly CN?: unknown } };
  return typeof subject?.CN === "string" ? subject.CN : "";
}

const EXTENSIONS = 0xa3;
const RFC822_NAME = 0x81;
// Contents of 2.5.29.17.
const SUBJECT_ALTERNATIVE_NAME = "551d11";

/**
 * The mailboxes among the subject's alternative names (RFC 5280 §4.2.1.6), from the octets themselves: the text that
 * OpenSSL makes of them separates names by what a name may hold.
 */
export function emailsOf(certificate: Uint8Array): readonly string[] {
  const [signed] = readInside(certificate, DER_SEQUENCE) ?? [];
  const extensions = signed && readDer(signed.value)?.find(({ tag }) => tag === EXTENSIONS);
  const list = (extensions && readInside(extensions.value, DER_SEQUENCE)) ?? [];
  const names = list.map(({ value }) => readDer(value) ?? []).find(isSubjectAlternativeName);
  const octets = names?.find(({ tag }) => tag === DER_OCTET_STRING)?.value;
  const inside = (octets && readInside(octets, DER_SEQUENCE)) ?? [];
  return inside
    .filter(({ tag }) => tag === RFC822_NAME)
    .map(({ value }) => Buffer.from(value).toString("latin1"))
    .filter((email) => /^[\x21-\x7e]+$/.test(email));
}

function isSubjectAlternativeName(extension: readonly { readonly tag: number; readonly value: Uint8Array }[]): boolean {
  const identifier = extension.find(({ tag }) => tag === DER_OBJECT_IDENTIFIER);
  return Buffer.from(identifier?.value ?? []).toString("hex") === SUBJECT_ALTERNATIVE_NAME;
}
