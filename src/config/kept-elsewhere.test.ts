import assert from "node:assert/strict";
import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { explain } from "./explain.ts";
import { loadConfig } from "./load.ts";
import { describeProblem } from "./problem.ts";

let folder = "";
before(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), "mailkeep-kept-"));
  mkdirSync(path.join(folder, "etc"));
});
after(() => rmSync(folder, { recursive: true }));

function load(yaml: string, environment: Readonly<Record<string, string>> = {}) {
  writeFileSync(path.join(folder, "etc", "m.yaml"), yaml);
  return loadConfig({ directory: folder, file: "etc/m.yaml", environment });
}

function complaints(yaml: string, environment: Readonly<Record<string, string>> = {}): readonly string[] {
  const result = load(yaml, environment);
  assert.ok(!result.ok, "taken without complaint");
  return result.error.map((problem) => describeProblem(problem, "en"));
}

function provider(secret: string): string {
  const introspection = `{ url: "https://a.example/i", client_id: us, client_secret: ${secret} }`;
  return `auth: { oauth: [{ issuer: "https://a.example", audience: us, introspection: ${introspection} }] }\n`;
}

function secretOf(yaml: string, environment: Readonly<Record<string, string>> = {}): string | undefined {
  const result = load(yaml, environment);
  assert.ok(result.ok, result.ok ? "" : result.error.map((one) => describeProblem(one, "en")).join("\n"));
  return result.value.config.auth.oauth[0]?.introspection?.clientSecret;
}

describe("a secret", () => {
  it("stands in the file, in another one, or in the environment", () => {
    writeFileSync(path.join(folder, "etc", "s"), "hun ter2\n");
    writeFileSync(path.join(folder, "t"), "from the folder\r\n");
    assert.equal(secretOf(provider("hunter2")), "hunter2");
    assert.equal(secretOf(provider("{ file: s }")), "hun ter2");
    assert.equal(secretOf(provider("{ env: THE_SECRET }"), { THE_SECRET: " hunter2 " }), " hunter2 ");
    // A relative name of the environment counts from the current folder.
    const members = provider("{ file: t }").replace(/^auth: \{ oauth: (.*) \}\n$/s, "$1");
    assert.equal(secretOf("", { MAILKEEP_AUTH__OAUTH: members }), "from the folder");
  });

  it("is never shown, whether it is right or wrong", () => {
    const right = load(provider("hunter2"));
    assert.ok(right.ok);
    assert.ok(!JSON.stringify(explain(right.value)).includes("hunter2"));
    const row = explain(right.value).find(({ key }) => key === "auth.oauth[0].introspection.client_secret");
    assert.equal(row?.value, "[secret]");
    for (const wrong of ["[hunter2]", "{ hunter2: x }", `"${"hunter2".repeat(1000)}"`, "{ file: [hunter2] }"]) {
      const said = complaints(provider(wrong)).join("\n");
      assert.match(said, /client_secret.*expected a text, \{ file: \/path\/to\/it \} or \{ env: NAME_OF_A_VARIABLE \}/);
      assert.doesNotMatch(said, /found.*hunter2/);
    }
  });

  it("that cannot be had is told where it is asked for, beside all else", () => {
    writeFileSync(path.join(folder, "etc", "empty"), "\n");
    writeFileSync(path.join(folder, "etc", "large"), "x".repeat(4097));
    const place = "etc/m.yaml:1:137: auth.oauth[0].introspection.client_secret: ";
    const inEtc = (name: string) => path.join(folder, "etc", name);
    assert.deepEqual(complaints(`${provider("{ file: gone }")}foo: 1\n`), [
      `${place}cannot read ${inEtc("gone")}: there is no such file`,
      "etc/m.yaml:2:1: foo: unknown key",
    ]);
    assert.deepEqual(complaints(provider("{ file: empty }")), [`${place}${inEtc("empty")} is empty`]);
    assert.deepEqual(complaints(provider("{ file: large }")), [
      `${place}cannot read ${inEtc("large")}: it is larger than 4 KiB`,
    ]);
    assert.deepEqual(complaints(provider("{ env: NOT_SET }")), [`${place}the variable NOT_SET is not set, or empty`]);
  });
});

describe("the authority of client certificates", () => {
  const named = (file: string) => `auth: { client_certificates: { authority: ${file} } }\n`;

  it("is a file that can be read and holds a certificate", () => {
    writeFileSync(path.join(folder, "etc", "ca.pem"), "-----BEGIN CERTIFICATE-----\nAAAA\n");
    const result = load(named("ca.pem"));
    assert.ok(result.ok);
    assert.deepEqual(result.value.config.auth.clientCertificates, {
      authority: path.join(folder, "etc", "ca.pem"),
      username: "email",
    });
    writeFileSync(path.join(folder, "etc", "key.pem"), "-----BEGIN PRIVATE KEY-----\n");
    const place = "etc/m.yaml:1:43: auth.client_certificates.authority: ";
    assert.deepEqual(complaints(named("key.pem")), [
      `${place}${path.join(folder, "etc", "key.pem")} holds no certificate (PEM)`,
    ]);
    assert.deepEqual(complaints(named("gone.pem")), [
      `${place}cannot read ${path.join(folder, "etc", "gone.pem")}: there is no such file`,
    ]);
  });

  it("of the environment counts from the current folder, also where the whole map is given there", () => {
    writeFileSync(path.join(folder, "ca.pem"), "-----BEGIN CERTIFICATE-----\n");
    for (const environment of [
      { MAILKEEP_AUTH__CLIENT_CERTIFICATES__AUTHORITY: "ca.pem" },
      { MAILKEEP_AUTH__CLIENT_CERTIFICATES: "{ authority: ca.pem, username: common_name }" },
    ]) {
      const result = load("", environment);
      assert.ok(result.ok, JSON.stringify(result));
      assert.equal(result.value.config.auth.clientCertificates?.authority, path.join(folder, "ca.pem"));
    }
  });
});
