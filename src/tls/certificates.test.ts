import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { loadCertificate } from "./certificates.ts";
import type { CertificateProblem } from "./certificates.ts";
import { newTicketKeys } from "./ticket-keys.ts";
import { describeCertificate } from "./describe.ts";
import { makeSelfSigned } from "./self-signed.ts";

const now = Date.UTC(2026, 0, 2);
const clock = { now: () => now, monotonic: () => 0 };
const good = await makeSelfSigned({ hostname: "mail.example.test", names: [], days: 90, now });
const other = await makeSelfSigned({ hostname: "mail.example.test", names: [], days: 90, now });

async function load(t: TestContext, certificateText: string | undefined, keyText: string | undefined, at = now) {
  const folder = await mkdtemp(path.join(tmpdir(), "mailkeep-"));
  t.after(() => rm(folder, { recursive: true }));
  const files = { certificate: path.join(folder, "chain.pem"), key: path.join(folder, "key.pem") };
  if (certificateText !== undefined) await writeFile(files.certificate, certificateText);
  if (keyText !== undefined) await writeFile(files.key, keyText);
  const request = { ...files, minimumVersion: "1.2", ticketKeys: newTicketKeys() } as const;
  return { files, result: await loadCertificate(request, { ...clock, now: () => at }) };
}

test("a pair that fits is taken, with its facts", async (t) => {
  const { files, result } = await load(t, good.certificatePem, good.keyPem);
  assert.ok(result.ok);
  const { facts, warning, material } = result.value;
  assert.equal(material.certificatePem, good.certificatePem);
  assert.equal(facts.names[0], "mail.example.test");
  assert.match(facts.fingerprint, /^([0-9A-F]{2}:){31}[0-9A-F]{2}$/);
  assert.equal(warning, undefined);
  const described = await describeCertificate(files, clock);
  assert.deepEqual(described, { ...files, facts, daysLeft: 89 });
});

test("a chain may follow, with words around it", async (t) => {
  const { result } = await load(t, `# mine\n${good.certificatePem}# authority\n${other.certificatePem}`, good.keyPem);
  assert.ok(result.ok);
});

const encrypted = generateKeyPairSync("ec", {
  namedCurve: "P-256",
  publicKeyEncoding: { type: "spki", format: "pem" },
  privateKeyEncoding: { type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "x" },
}).privateKey;

const wrong: readonly [string, string | undefined, string | undefined, CertificateProblem["kind"], RegExp][] = [
  [
    "no certificate",
    undefined,
    good.keyPem,
    "unreadable",
    /^certificate \S+chain\.pem: cannot be read: there is no such/,
  ],
  ["no key", good.certificatePem, undefined, "unreadable", /^key \S+key\.pem: cannot be read: there is no such file$/],
  ["an empty certificate", "", good.keyPem, "not-pem", /^certificate \S+: no certificate in PEM form/],
  ["half a certificate", good.certificatePem.slice(0, 300), good.keyPem, "not-pem", /no certificate in PEM form/],
  ["a spoilt certificate", good.certificatePem.replace("MII", "AAA"), good.keyPem, "not-pem", /no certificate in PEM/],
  ["a key in the certificate's place", good.keyPem, good.keyPem, "not-pem", /no certificate in PEM form/],
  ["a certificate in the key's place", good.certificatePem, good.certificatePem, "not-pem", /no private key in PEM/],
  ["half a key", good.certificatePem, good.keyPem.slice(0, 100), "not-pem", /^key \S+: no private key in PEM form/],
  ["a key with a passphrase", good.certificatePem, encrypted, "encrypted-key", /has a passphrase; .* openssl pkey -in/],
  [
    "another's key",
    good.certificatePem,
    other.keyPem,
    "key-mismatch",
    /^key \S+ it does not belong to the certificate/,
  ],
  ["the authority first", other.certificatePem + good.certificatePem, good.keyPem, "key-mismatch", /must come first/],
];
for (const [what, certificateText, keyText, kind, words] of wrong) {
  test(`refused, with clear words: ${what}`, async (t) => {
    const { files, result } = await load(t, certificateText, keyText);
    assert.ok(!result.ok);
    assert.equal(result.error.kind, kind);
    assert.match(result.error.message, words);
    assert.equal((await describeCertificate(files, clock)).problem, result.error.message);
  });
}

test("a file of a gigabyte is not read", async (t) => {
  const { files } = await load(t, "", good.keyPem);
  await truncate(files.certificate, 2 ** 30);
  const request = { ...files, minimumVersion: "1.2", ticketKeys: newTicketKeys() } as const;
  const result = await loadCertificate(request, clock);
  assert.ok(!result.ok);
  assert.match(result.error.message, /1073741824 octets long/);
});

test("a certificate that OpenSSL holds for too weak is refused", async (t) => {
  const { result } = await load(t, WEAK_PEM, WEAK_KEY_PEM);
  assert.ok(!result.ok);
  assert.equal(result.error.kind, "unusable");
  assert.match(result.error.message, /^certificate \S+: refused: .*key too small/);
});

test("expired or not yet valid is a warning: old mail clients that look away still get in", async (t) => {
  const late = await load(t, good.certificatePem, good.keyPem, now + 91 * 86_400_000);
  assert.ok(late.result.ok);
  assert.match(late.result.value.warning ?? "", /expired on 2026-04-01; clients will refuse it$/);
  const early = await load(t, good.certificatePem, good.keyPem, now - 86_400_000);
  assert.ok(early.result.ok);
  assert.match(early.result.value.warning ?? "", /not valid before 2026-01-01; is this machine's clock right\?$/);
});

// RSA of 1,024 bits for CN=weak.example, made once by `openssl req -x509`; these protect nothing.
const WEAK_PEM = `-----BEGIN CERTIFICATE-----
MIICCjCCAXOgAwIBAgIUbmaUaOEEyaCdu02Y0tXnEzPNvlowDQYJKoZIhvcNAQEL
BQAwFzEVMBMGA1UEAwwMd2Vhay5leGFtcGxlMB4XDTI2MTEyNDIyMzgzN1oXDTI2
MTIyNDIyMzgzN1owFzEVMBMGA1UEAwwMd2Vhay5leGFtcGxlMIGfMA0GCSqGSIb3
DQEBAQUAA4GNADCBiQKBgQDQkize6qN7OzGqpTEWq/ki7a2VdbzSF0WOZ86fr/fK
8+NQ/86e75iWjvC+KZqJg7PYi3zRB///WNptgPw/1GDWJVA+AZye9VjNYQRkSgz9
EaKVwPmfhEAuKo9Das7uKoYZI4kTjvOjKvDF+CiX0wO3u0txFqzzgKDD8KTZD3op
FwIDAQABo1MwUTAdBgNVHQ4EFgQUIROQjifEzyXcBhLcmZw5mdm8yqkwHwYDVR0j
BBgwFoAUIROQjifEzyXcBhLcmZw5mdm8yqkwDwYDVR0TAQH/BAUwAwEB/zANBgkq
hkiG9w0BAQsFAAOBgQBAxj2xiQod3zACBFN7d3ILAbOUEiI9pdSyjIXxvGvz4qpG
PscXOAjMzToXd9RF8wRxBajA0yrG4JlCLwzTFYHGTrU/pbScsV6sjbHhmupuPpGR
9Z79I9L0+T1Ncf7x464EHhbRua4CdwsErxmICIE9ROhcc0mCSzHqDV/BIoLQAQ==
-----END CERTIFICATE-----
`;
const WEAK_KEY_PEM = `-----BEGIN PRIVATE KEY-----
MIICdgIBADANBgkqhkiG9w0BAQEFAASCAmAwggJcAgEAAoGBANCSLN7qo3s7Maql
MRar+SLtrZV1vNIXRY5nzp+v98rz41D/zp7vmJaO8L4pmomDs9iLfNEH//9Y2m2A
/D/UYNYlUD4BnJ71WM1hBGRKDP0RopXA+Z+EQC4qj0Nqzu4qhhkjiROO86Mq8MX4
KJfTA7e7S3EWrPOAoMPwpNkPeikXAgMBAAECgYAWHXm+hTiiZ2tjwbJLyh5XksYW
E+7ag/cvG1iwW/M1RNj0jLs25QbT6AIk17p4HEvkiR3J+EQvqhc3Bzc3+Wfu+9Z/
fsQSe8DbHLhp/h/giR/DmG25UvQEN6Zo6I91wwHqPKrBa7MTIc3MC2kFYAm4Ohaa
nHK6gU2jkOUYBLsKeQJBAPc9o5uc1xz3L+DVTsIxtUKY2YraKWgBIlDKukfwMRXS
tXDndK7kuu3KEC8olVub2R7r+GARNMb7Xtt1MgfxFVMCQQDX9dGmAYDAM65Qtv8v
l9bbluEB30ulWgG7Y3qfVpqCBDUAEaW17prXxUY5/EKHWpj0KyIZ16X3t0RZbRFR
nkCtAkEAnmPVqX5r7PmKqa3dm9j+d2C2lRa4ShHX6wxFFIsS1xk69c7B2L1d57J4
dc25CYwpJ38iimDbf9JP7aYB3EadUwJAHi2FnFL9cN5H75OC2V24cnsE+kP/yB1p
vIvMKNPrR1vbJCVTKLctABXbGGM90LhCQ2x7mWzfDlyXun9ZOjSJCQJAOWGuCy2E
a6aCkjteqBt59kLTKTa/0F5+Owhdy625CqWEoJtTmXcrgG7NTztIyWQciAEgb4wz
KXrA4hkK6JnG+A==
-----END PRIVATE KEY-----
`;
