import path from "node:path";
import { mustRun } from "./process.ts";

/** A self-signed ECDSA certificate for localhost and 127.0.0.1, made by OpenSSL. */
export type Certificate = { readonly certificate: string; readonly key: string };

/** Makes a certificate and its key as PEM files in a folder. */
export async function makeCertificate(folder: string, name = "localhost"): Promise<Certificate> {
  const files = { certificate: path.join(folder, `${name}.crt`), key: path.join(folder, `${name}.key`) };
  const words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30".split(" ");
  const names = ["-subj", `/CN=${name}`, "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"];
  await mustRun("openssl", [...words, ...names, "-keyout", files.key, "-out", files.certificate]);
  return files;
}
