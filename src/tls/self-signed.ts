import { randomBytes } from "node:crypto";
import { isIP } from "node:net";

export type SelfSignedRequest = {
  readonly hostname: string;
  /** More host names or addresses that the certificate is for. */
  readonly names: readonly string[];
  readonly days: number;
  /** Milliseconds since 1970. */
  readonly now: number;
};

export type SelfSigned = { readonly certificatePem: string; readonly keyPem: string };

/** The organization in our certificates' names, by which one of ours is known again. */
export const SELF_SIGNED_ORGANIZATION = "Mailkeep self-signed";

const DAY_MS = 86_400_000;
// Clocks of clients go a little wrong.
const BACKDATED_MS = 3_600_000;
const SERVER_AUTH = "1.3.6.1.5.5.7.3.1";
const SERIAL_OCTETS = 16;

/**
 * Makes an ECDSA P-256 certificate for a server. It is no authority: a client that trusts it trusts this server and
 * nothing that its key might sign. Loads the X.509 library (some 100 ms) only when it is needed.
 */
export async function makeSelfSigned(request: SelfSignedRequest): Promise<SelfSigned> {
  // The library needs this before its own first line.
  await import("reflect-metadata");
  const x509 = await import("@peculiar/x509");
  const { subtle } = globalThis.crypto;
  const keys = await subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign", "verify"]);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: [{ CN: [request.hostname.slice(0, 64)] }, { O: [SELF_SIGNED_ORGANIZATION] }],
    notBefore: new Date(request.now - BACKDATED_MS),
    notAfter: new Date(request.now - BACKDATED_MS + request.days * DAY_MS),
    signingAlgorithm: { name: "ECDSA", hash: "SHA-256" },
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([SERVER_AUTH]),
      new x509.SubjectAlternativeNameExtension(
        alternativeNames(request).map((value) => ({ type: isIP(value) === 0 ? "dns" : "ip", value })),
      ),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return {
    certificatePem: `${certificate.toString("pem")}\n`,
    keyPem: keyPem(Buffer.from(await subtle.exportKey("pkcs8", keys.privateKey))),
  };
}

function alternativeNames({ hostname, names }: SelfSignedRequest): string[] {
  return [...new Set([hostname, ...names, "localhost", "127.0.0.1", "::1"])];
}

/** Positive, as RFC 5280 §4.1.2.2 asks. */
function serialNumber(): string {
  const octets = randomBytes(SERIAL_OCTETS);
  octets[0] = ((octets[0] ?? 0) & 0x7f) | 0x40;
  return octets.toString("hex");
}

function keyPem(pkcs8: Buffer): string {
  const lines = pkcs8.toString("base64").match(/.{1,64}/g) ?? [];
  return ["-----BEGIN PRIVATE KEY-----", ...lines, "-----END PRIVATE KEY-----", ""].join("\n");
}
