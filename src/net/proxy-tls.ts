import { err, ok, type Result } from "../lib/result.ts";
import type { TlsState } from "./connection.ts";
import type { ProxyProblem } from "./proxy-header.ts";
import { readTlvs, type Tlv } from "./proxy-tlv.ts";

const CLIENT_SSL = 0x01;
const CLIENT_CERT_CONN = 0x02;
const CLIENT_CERT_SESS = 0x04;
const SSL_VERSION = 0x21;
const SSL_CN = 0x22;
const SSL_CIPHER = 0x23;
// Names of versions and ciphers go into logs and trace headers.
const NAME = /^[\w.+-]{1,64}$/;
const MOST_COMMON_NAME_OCTETS = 256;
const utf8 = new TextDecoder("utf-8", { fatal: true });

/** What PP2_TYPE_SSL tells of the TLS between client and proxy (§2.2.5); undefined: there was none. */
export function tlsOf(value: Buffer): Result<TlsState | undefined, ProxyProblem> {
  if (value.length < 5) return err("bad-tlv");
  const told = readTlvs(value.subarray(5));
  if (told === undefined) return err("bad-tlv");
  const client = value[0] ?? 0;
  if ((client & CLIENT_SSL) === 0) return ok(undefined);
  const commonName = commonNameOf(told);
  // §2.2.5: verify is zero when a certificate was shown and found good.
  const shown = (client & (CLIENT_CERT_CONN | CLIENT_CERT_SESS)) !== 0;
  const verified = shown && value.readUInt32BE(1) === 0 && commonName !== undefined;
  return ok({
    version: nameOf(told, SSL_VERSION),
    cipher: nameOf(told, SSL_CIPHER),
    atProxy: true,
    ...(verified && { certificate: { emails: [], commonName } }),
  });
}

/** Never empty: an empty version is how a connection without TLS is written. */
function nameOf(told: readonly Tlv[], type: number): string {
  const name = told.find((tlv) => tlv.type === type)?.value.toString("latin1") ?? "";
  return NAME.test(name) ? name : "unknown";
}

function commonNameOf(told: readonly Tlv[]): string | undefined {
  const names = told.filter(({ type }) => type === SSL_CN);
  const [name] = names;
  if (name === undefined || names.length > 1 || name.value.length > MOST_COMMON_NAME_OCTETS) return undefined;
  try {
    return utf8.decode(name.value);
  } catch {
    return undefined;
  }
}
