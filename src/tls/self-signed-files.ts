import { X509Certificate, createPrivateKey } from "node:crypto";
import { mkdir, open, readFile, rename } from "node:fs/promises";
import path from "node:path";
import type { Clock } from "../lib/clock.ts";
import { daysLeft, factsOf } from "./certificate.ts";
import type { CertificateFiles } from "./certificates.ts";
import { SELF_SIGNED_ORGANIZATION, makeSelfSigned } from "./self-signed.ts";

// Apple's clients refuse a server's certificate of more than 825 days.
const VALID_DAYS = 820;
const RENEW_DAYS = 30;

/** Where the server keeps the certificate that it makes itself. */
export function selfSignedFiles(folder: string): CertificateFiles {
  return { certificate: path.join(folder, "certificate.pem"), key: path.join(folder, "key.pem") };
}

/**
 * Sees to it that the folder holds a certificate for this host name: keeps the one that is there, makes one where there
 * is none, where ours is no longer good for thirty days, is for another name, or does not fit its key. A certificate
 * that somebody else put there is left alone.
 */
export async function ensureSelfSigned(
  folder: string,
  hostname: string,
  clock: Clock,
): Promise<CertificateFiles & { readonly made: boolean }> {
  const files = selfSignedFiles(folder);
  if (await isGood(files, hostname, clock.now())) return { ...files, made: false };
  await writeSelfSigned(folder, hostname, clock);
  return { ...files, made: true };
}

/** Makes a new certificate in any case, in the place of the one that is there. */
export async function writeSelfSigned(folder: string, hostname: string, clock: Clock): Promise<CertificateFiles> {
  const files = selfSignedFiles(folder);
  const { certificatePem, keyPem } = await makeSelfSigned({ hostname, names: [], days: VALID_DAYS, now: clock.now() });
  await mkdir(folder, { recursive: true, mode: 0o700 });
  // A crash in between leaves a pair that does not fit, which the next start makes anew.
  await replaceFile(files.key, keyPem, 0o600);
  await replaceFile(files.certificate, certificatePem, 0o644);
  return files;
}

async function isGood(files: CertificateFiles, hostname: string, now: number): Promise<boolean> {
  const [certificatePem, keyPem] = await Promise.all([readIfThere(files.certificate), readIfThere(files.key)]);
  if (certificatePem === undefined) return false;
  try {
    const certificate = new X509Certificate(certificatePem);
    if (!certificate.subject.includes(`O=${SELF_SIGNED_ORGANIZATION}`)) return true;
    const facts = factsOf(certificate);
    return (
      keyPem !== undefined &&
      certificate.checkPrivateKey(createPrivateKey(keyPem)) &&
      facts.names.includes(hostname) &&
      daysLeft(facts, now) >= RENEW_DAYS
    );
  } catch {
    // Not a certificate or not a key: a torn write of ours, or nothing that anybody could use.
    return false;
  }
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, "latin1");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new Error(`reading ${file}`, { cause });
  }
}

/** The old text or the new one, whole, whatever happens in between. */
async function replaceFile(file: string, text: string, mode: number): Promise<void> {
  const temporary = `${file}.new`;
  {
    await using handle = await open(temporary, "w", mode);
    // `mode` counts only for a file that was not there.
    await handle.chmod(mode);
    await handle.writeFile(text);
    await handle.sync();
  }
  await rename(temporary, file);
  await using folder = await open(path.dirname(file));
  await folder.sync();
}
