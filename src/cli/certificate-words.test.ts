import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { makeSelfSigned } from "../tls/self-signed.ts";
import { certificateWords } from "./certificate-words.ts";
import { loadCertificate } from "../tls/certificates.ts";
import { newTicketKeys } from "../tls/ticket-keys.ts";

let folder = "";
before(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), "mailkeep: words-"));
});
after(() => rmSync(folder, { recursive: true }));

describe("a problem with a certificate", () => {
  const now = Date.UTC(2026, 0, 1);

  async function problemOf(certificate: string, key: string, at = now): Promise<string> {
    const files = { certificate: path.join(folder, "c.pem"), key: path.join(folder, "k.pem") };
    if (certificate !== "") writeFileSync(files.certificate, certificate);
    if (key !== "") writeFileSync(files.key, key);
    const request = { ...files, minimumVersion: "1.2", ticketKeys: newTicketKeys() } as const;
    const loaded = await loadCertificate(request, { now: () => at, monotonic: () => 0 });
    const problem = loaded.ok ? loaded.value.warning : loaded.error.message;
    assert.ok(problem !== undefined, "nothing is wrong");
    return problem;
  }

  it("is told in Chinese where we know the sentence", async () => {
    const request = { hostname: "a.example", names: [], days: 30, now };
    const [own, other] = [await makeSelfSigned(request), await makeSelfSigned(request)];
    const pem = own.certificatePem;
    const problems = [
      await problemOf("", ""),
      await problemOf("nothing", own.keyPem),
      await problemOf(pem, "nothing"),
      await problemOf(pem, "-----BEGIN ENCRYPTED PRIVATE KEY-----"),
      await problemOf(pem, other.keyPem),
      await problemOf(`${other.certificatePem}${pem}`, own.keyPem),
      await problemOf("x".repeat(1024 * 1024 + 1), own.keyPem),
      await problemOf(pem, own.keyPem, Date.UTC(2100, 0, 1)),
      await problemOf(pem, own.keyPem, Date.UTC(2000, 0, 1)),
    ];
    for (const problem of problems) {
      const words = certificateWords(problem, "zh");
      assert.match(words, /^(?:证书|私钥) .*\.pem：.*\p{Script=Han}/u, problem);
      assert.doesNotMatch(words.replaceAll(folder, ""), /\b(?:the|is|it|not|there)\b/, problem);
      assert.equal(certificateWords(problem, "en"), problem);
    }
  });

  it("stays as it is where we do not", () => {
    assert.equal(certificateWords("certificate a.pem: something new", "zh"), "certificate a.pem: something new");
    assert.equal(certificateWords("EROFS: read-only", "zh"), "EROFS: read-only");
  });
});
