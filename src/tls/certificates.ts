import { createPrivateKey } from "node:crypto";
import type { KeyObject, X509Certificate } from "node:crypto";
import { open } from "node:fs/promises";
import type { Clock } from "../lib/clock.ts";
import type { Result } from "../lib/result.ts";
import { err, ok } from "../lib/result.ts";
import type { CertificateFacts } from "./certificate.ts";
import { factsOf, parseChain } from "./certificate.ts";
import type { CertificateMaterial, MinimumVersion } from "./context.ts";
import { contextOf } from "./context.ts";

/** The files of a certificate and its key. */
export type CertificateFiles = {
  readonly certificate: string;
  readonly key: string;
  /** The certificates of the authority that vouches for clients, where they are asked for one. */
  readonly clientAuthority?: string;
};

export type LoadRequest = CertificateFiles & {
  readonly minimumVersion: MinimumVersion;
  readonly ticketKeys: Uint8Array;
};

/** Why a certificate cannot be used; the message names the file, the reason and what to do. */
export type CertificateProblem = {
  readonly kind: "unreadable" | "not-pem" | "encrypted-key" | "key-mismatch" | "unusable";
  readonly file: string;
  readonly message: string;
};

/** A certificate that fits its key and that OpenSSL takes. */
export type LoadedCertificate = {
  readonly material: CertificateMaterial;
  readonly facts: CertificateFacts;
  /** What clients will complain about: it works all the same. */
  readonly warning: string | undefined;
};

const LARGEST_FILE_OCTETS = 1024 * 1024;

/** Reads and checks a certificate and its key. */
export async function loadCertificate(
  request: LoadRequest,
  clock: Clock,
): Promise<Result<LoadedCertificate, CertificateProblem>> {
  const certificatePem = await readText(request.certificate, "certificate");
  if (!certificatePem.ok) return certificatePem;
  const keyPem = await readText(request.key, "key");
  if (!keyPem.ok) return keyPem;

  const chain = parseChain(certificatePem.value);
  if (chain === undefined) {
    const wanted = "no certificate in PEM form in it (a text with -----BEGIN CERTIFICATE-----)";
    return problem("not-pem", request.certificate, `certificate ${request.certificate}: ${wanted}`);
  }
  const key = parseKey(keyPem.value, request.key);
  if (!key.ok) return key;
  const misfit = checkPair(chain, key.value, request);
  if (misfit !== undefined) return problem("key-mismatch", request.certificate, misfit);

  const authority = await loadAuthority(request.clientAuthority);
  if (!authority.ok) return authority;

  const { minimumVersion, ticketKeys } = request;
  const material = {
    certificatePem: certificatePem.value,
    keyPem: keyPem.value,
    minimumVersion,
    ticketKeys,
    ...(authority.value !== undefined && { clientAuthority: authority.value }),
  };
  try {
    contextOf(material);
  } catch (cause) {
    return problem("unusable", request.certificate, `certificate ${request.certificate}: refused: ${reasonOf(cause)}`);
  }
  const facts = factsOf(chain[0]);
  return ok({ material, facts, warning: warningOf(facts, request.certificate, clock.now()) });
}

async function loadAuthority(file: string | undefined): Promise<Result<string | undefined, CertificateProblem>> {
  if (file === undefined) return ok(undefined);
  const pem = await readText(file, "authority");
  if (!pem.ok || parseChain(pem.value) !== undefined) return pem;
  const wanted = "no certificate in PEM form in it (a text with -----BEGIN CERTIFICATE-----)";
  return problem("not-pem", file, `authority ${file}: ${wanted}`);
}

async function readText(file: string, what: string): Promise<Result<string, CertificateProblem>> {
  try {
    await using handle = await open(file);
    const { size } = await handle.stat();
    if (size > LARGEST_FILE_OCTETS) {
      return problem("not-pem", file, `${what} ${file}: ${size} octets long, no certificate or key is so large`);
    }
    return ok(await handle.readFile("latin1"));
  } catch (cause) {
    return problem("unreadable", file, `${what} ${file}: cannot be read: ${readHint(cause)}`);
  }
}

function readHint(cause: unknown): string {
  const { code } = cause as NodeJS.ErrnoException;
  if (code === "ENOENT") return "there is no such file";
  if (code === "EACCES") return "permission denied; the user that runs mailkeep needs to read it";
  return reasonOf(cause);
}

function parseKey(pem: string, file: string): Result<KeyObject, CertificateProblem> {
  if (/-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m.test(pem)) {
    const way = `openssl pkey -in ${file} -out key.pem`;
    return problem("encrypted-key", file, `key ${file}: it has a passphrase; write it without one: ${way}`);
  }
  try {
    return ok(createPrivateKey(pem));
  } catch {
    const wanted = "no private key in PEM form in it (a text with -----BEGIN PRIVATE KEY-----)";
    return problem("not-pem", file, `key ${file}: ${wanted}`);
  }
}

function checkPair(
  [leaf, ...others]: readonly [X509Certificate, ...X509Certificate[]],
  key: KeyObject,
  { certificate, key: keyFile }: CertificateFiles,
): string | undefined {
  if (leaf.checkPrivateKey(key)) return undefined;
  const later = others.some((other) => other.checkPrivateKey(key));
  return later
    ? `certificate ${certificate}: the server's own certificate must come first in it, before those of the authority`
    : `key ${keyFile}: it does not belong to the certificate ${certificate}; give the pair that was issued together`;
}

function warningOf(facts: CertificateFacts, file: string, now: number): string | undefined {
  if (now > facts.notAfter) return `certificate ${file}: expired on ${dayOf(facts.notAfter)}; clients will refuse it`;
  if (now < facts.notBefore) {
    return `certificate ${file}: not valid before ${dayOf(facts.notBefore)}; is this machine's clock right?`;
  }
  return undefined;
}

function dayOf(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

function problem(
  kind: CertificateProblem["kind"],
  file: string,
  message: string,
): { readonly ok: false; readonly error: CertificateProblem } {
  return err({ kind, file, message });
}
