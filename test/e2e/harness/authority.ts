import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { Certificate } from "./certificate.ts";
import { mustRun } from "./process.ts";

/** A test authority, and what it issued: the chain for a server of this machine. */
export type Issued = Certificate & { readonly authority: string };

const settings = `[req]
distinguished_name = name
[name]
[authority]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign, cRLSign
[server]
basicConstraints = critical, CA:false
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = DNS:localhost, IP:127.0.0.1
crlDistributionPoints = URI:http://127.0.0.1:9/authority.crl
`;

/** Makes an authority and a certificate of it that names where its revocations are told, by OpenSSL, in a folder. */
export async function issueCertificate(folder: string): Promise<Issued> {
  const file = (name: string): string => path.join(folder, name);
  writeFileSync(file("authority.cnf"), settings);
  const openssl = (words: string): Promise<unknown> => mustRun("openssl", words.split(" "), { cwd: folder });
  const key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -sha256 -config authority.cnf";
  await openssl(`req -x509 ${key} -days 365 -subj /CN=Authority -extensions authority -keyout ca.key -out ca.crt`);
  await openssl(`req -new ${key} -subj /CN=localhost -keyout server.key -out server.csr`);
  const extensions = "-extfile authority.cnf -extensions server";
  await openssl(
    `x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 90 -sha256 ${extensions} -out server.crt`,
  );
  writeFileSync(file("chain.crt"), readFileSync(file("server.crt"), "latin1") + readFileSync(file("ca.crt"), "latin1"));
  return { certificate: file("chain.crt"), key: file("server.key"), authority: file("ca.crt") };
}
