import { X509Certificate } from "node:crypto";
import { isIPv6 } from "node:net";

/** What a certificate says of itself. */
export type CertificateFacts = {
  /** The host names and addresses that it is for. */
  readonly names: readonly string[];
  readonly issuer: string;
  readonly selfSigned: boolean;
  /** Milliseconds since 1970. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** SHA-256 of the certificate, as browsers and `openssl x509 -fingerprint` show it. */
  readonly fingerprint: string;
};

const DAY_MS = 86_400_000;
const PEM_BLOCK = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** Reads the certificates of a PEM text in order; undefined when there is none or one is not a certificate. */
export function parseChain(pem: string): readonly [X509Certificate, ...X509Certificate[]] | undefined {
  const blocks = pem.match(PEM_BLOCK) ?? [];
  try {
    const [first, ...rest] = blocks.map((block) => new X509Certificate(block));
    return first === undefined ? undefined : [first, ...rest];
  } catch {
    return undefined;
  }
}

/** The facts of one certificate. */
export function factsOf(certificate: X509Certificate): CertificateFacts {
  return {
    names: namesOf(certificate),
    issuer: oneLine(certificate.issuer),
    selfSigned: certificate.issuer === certificate.subject && certificate.verify(certificate.publicKey),
    notBefore: certificate.validFromDate.getTime(),
    notAfter: certificate.validToDate.getTime(),
    fingerprint: certificate.fingerprint256,
  };
}

/** Whole days until it runs out; negative when it has. */
export function daysLeft(facts: CertificateFacts, now: number): number {
  return Math.floor((facts.notAfter - now) / DAY_MS);
}

/** Subject alternative names; a certificate without any is shown by its common name. */
function namesOf(certificate: X509Certificate): string[] {
  const names = (certificate.subjectAltName ?? "")
    .split(", ")
    .map((entry) => /^(?:DNS|IP Address):(.+)$/.exec(entry)?.[1])
    .filter((name) => name !== undefined)
    .map((name) => (isIPv6(name) ? shortIPv6(name) : name));
  if (names.length > 0) return names;
  const common = /^CN=(.+)$/m.exec(certificate.subject)?.[1];
  return common === undefined ? [] : [common];
}

/** OpenSSL writes all eight groups; the parser of addresses in URLs gives the usual form (RFC 5952). */
function shortIPv6(address: string): string {
  return new URL(`http://[${address}]`).hostname.slice(1, -1);
}

function oneLine(name: string | undefined): string {
  return (name ?? "").split("\n").join(", ");
}
