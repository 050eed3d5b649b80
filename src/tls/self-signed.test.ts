import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { test } from "node:test";
import { factsOf } from "./certificate.ts";
import { makeSelfSigned } from "./self-signed.ts";

const now = Date.UTC(2026, 0, 2);

test("the certificate is for the host name, the other names and loopback, for these days and for no other purpose", async () => {
  const made = await makeSelfSigned({ hostname: "mail.example.test", names: ["pop.example.test"], days: 820, now });
  const certificate = new X509Certificate(made.certificatePem);
  const facts = factsOf(certificate);
  assert.deepEqual(facts.names, ["mail.example.test", "pop.example.test", "localhost", "127.0.0.1", "::1"]);
  assert.equal(facts.issuer, "CN=mail.example.test, O=Mailkeep self-signed");
  assert.equal(facts.selfSigned, true);
  assert.ok(facts.notBefore < now && facts.notAfter - facts.notBefore === 820 * 86_400_000);
  assert.equal(certificate.ca, false);
  assert.deepEqual(certificate.keyUsage, ["1.3.6.1.5.5.7.3.1"]);
  assert.equal(certificate.publicKey.asymmetricKeyDetails?.namedCurve, "prime256v1");
});

test("no two have the same key or number", async () => {
  const request = { hostname: "localhost", names: [], days: 1, now };
  const [one, other] = await Promise.all([makeSelfSigned(request), makeSelfSigned(request)]);
  assert.notEqual(one.keyPem, other.keyPem);
  assert.notEqual(
    new X509Certificate(one.certificatePem).serialNumber,
    new X509Certificate(other.certificatePem).serialNumber,
  );
});

test("a host name that is too long for a common name is an alternative name all the same", async () => {
  const hostname = `${"a".repeat(60)}.${"b".repeat(60)}.test`;
  const made = await makeSelfSigned({ hostname, names: [], days: 1, now });
  assert.equal(new X509Certificate(made.certificatePem).checkHost(hostname), hostname);
});
