import assert from "node:assert/strict";
import { test } from "node:test";
import { certificateName } from "./certificate-name.ts";

test("TLS-07 a certificate names by the configured field, of several addresses the one that is wanted", () => {
  const certificate = { emails: ["ann@example.test", "Ann.B@example.test"], commonName: "ann" };
  assert.equal(certificateName(certificate, "common_name"), "ann");
  assert.equal(certificateName(certificate, "common_name", "bob"), "ann", "whom it names is not for the client to say");
  assert.equal(certificateName(certificate, "email"), "ann@example.test");
  assert.equal(certificateName(certificate, "email", "ann.b@EXAMPLE.test"), "Ann.B@example.test");
  assert.equal(certificateName(certificate, "email", "bob@example.test"), "ann@example.test");
  assert.equal(certificateName({ emails: [], commonName: "" }, "email", ""), undefined);
  assert.equal(certificateName({ emails: [], commonName: "" }, "common_name", ""), undefined);
});
