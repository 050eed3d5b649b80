import "reflect-metadata";
import type { webcrypto } from "node:crypto";
import {
  BasicConstraintsExtension,
  ExtendedKeyUsageExtension,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
  type JsonGeneralName,
} from "@peculiar/x509";

/** A certificate with its key, PEM. */
export type TestCertificate = { readonly certificatePem: string; readonly keyPem: string };

/** What a test wants of a certificate. */
export type TestCertificateRequest = {
  readonly name: string;
  readonly alternatives?: readonly JsonGeneralName[];
  readonly purpose?: "1.3.6.1.5.5.7.3.1" | "1.3.6.1.5.5.7.3.2";
  /** Milliseconds from now until it runs out. */
  readonly validMs?: number;
};

/** How a certificate is signed. */
export type TestAlgorithm =
  | { readonly name: "ECDSA"; readonly namedCurve: string; readonly hash: string }
  | { readonly name: "Ed25519" }
  | (webcrypto.RsaHashedKeyGenParams & { readonly saltLength?: number });

const ECDSA_P256: TestAlgorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const HOUR_MS = 3_600_000;

/** An authority of a test's own. */
export class TestAuthority {
  readonly certificatePem: string;
  readonly #name: string;
  readonly #keys: webcrypto.CryptoKeyPair;

  private constructor(name: string, keys: webcrypto.CryptoKeyPair, certificatePem: string) {
    this.#name = name;
    this.#keys = keys;
    this.certificatePem = certificatePem;
  }

  static async create(name = "Test Authority"): Promise<TestAuthority> {
    const keys = await newKeys(ECDSA_P256);
    const certificate = await X509CertificateGenerator.createSelfSigned({
      name: [{ CN: [name] }],
      ...validFor(HOUR_MS),
      keys,
      signingAlgorithm: ECDSA_P256,
      extensions: [new BasicConstraintsExtension(true, undefined, true)],
    });
    return new TestAuthority(name, keys, certificate.toString("pem"));
  }

  async issue({
    name,
    alternatives = [],
    purpose,
    validMs = HOUR_MS,
  }: TestCertificateRequest): Promise<TestCertificate> {
    const keys = await newKeys(ECDSA_P256);
    const certificate = await X509CertificateGenerator.create({
      subject: [{ CN: [name] }],
      issuer: [{ CN: [this.#name] }],
      ...validFor(validMs),
      publicKey: keys.publicKey,
      signingKey: this.#keys.privateKey,
      signingAlgorithm: ECDSA_P256,
      extensions: [
        new BasicConstraintsExtension(false),
        ...(alternatives.length > 0 ? [new SubjectAlternativeNameExtension([...alternatives])] : []),
        ...(purpose === undefined ? [] : [new ExtendedKeyUsageExtension([purpose])]),
      ],
    });
    return { certificatePem: certificate.toString("pem"), keyPem: await pemOf(keys.privateKey) };
  }
}

/** A certificate for `localhost` that signs itself, with any algorithm that WebCrypto has. */
export async function selfSignedBy(algorithm: TestAlgorithm): Promise<TestCertificate> {
  const keys = await newKeys(algorithm);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: "CN=localhost",
    ...validFor(HOUR_MS),
    keys,
    signingAlgorithm: algorithm,
    extensions: [new SubjectAlternativeNameExtension([{ type: "dns", value: "localhost" }])],
  });
  return { certificatePem: certificate.toString("pem"), keyPem: await pemOf(keys.privateKey) };
}

function validFor(milliseconds: number): { notBefore: Date; notAfter: Date } {
  const now = Date.now();
  return { notBefore: new Date(now - 2 * HOUR_MS), notAfter: new Date(now + milliseconds) };
}

async function newKeys(algorithm: TestAlgorithm): Promise<webcrypto.CryptoKeyPair> {
  return (await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"])) as webcrypto.CryptoKeyPair;
}

async function pemOf(key: CryptoKey): Promise<string> {
  const octets = Buffer.from(await crypto.subtle.exportKey("pkcs8", key)).toString("base64");
  return `-----BEGIN PRIVATE KEY-----\n${octets}\n-----END PRIVATE KEY-----\n`;
}
