import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { issueCertificate } from "./harness/authority.ts";
import { Pop3 } from "./harness/pop3.ts";
import { mustRun, run } from "./harness/process.ts";
import { scratch } from "./harness/scratch.ts";
import { startMailkeep, type Server } from "./harness/server.ts";

/*
 * Issue 4, line 6: what scanners see. testssl.sh finds nothing above "low"; nmap sees what CAPA says and no more.
 */
type Finding = { readonly id: string; readonly severity: string; readonly finding: string };

// WARN and DEBUG are about the scanner itself, such as an engine that its OpenSSL lacks.
const harmless = ["OK", "INFO", "LOW", "WARN", "DEBUG"];
// What a test authority cannot have, or has otherwise than a public one.
const ofTheAuthority = /^(DNS_CAArecord|OCSP|cert_(expiration|validity|notAfter|ocsp|crl|revocation))/i;

async function start(stack: AsyncDisposableStack): Promise<{ readonly server: Server; readonly authority: string }> {
  const { certificate, key, authority } = await issueCertificate(scratch(stack));
  const server = await startMailkeep(stack, { users: ["box"], config: { tls: { certificate, key } } });
  return { server, authority };
}

async function testssl(folder: string, authority: string, target: readonly string[]): Promise<readonly Finding[]> {
  const report = path.join(folder, "report.json");
  const how = ["--quiet", "--color", "0", "--warnings", "batch", "--nodns", "none", "--add-ca", authority];
  // Its exit code counts what it would have liked otherwise.
  const { text } = await run("testssl", [...how, "--jsonfile", report, ...target], { seconds: 280 });
  const findings = JSON.parse(readFileSync(report, "utf8")) as Finding[];
  const done = findings.some(({ id }) => id === "secure_client_renego") && /Done \d{4}/.test(text);
  assert.ok(done, `testssl.sh did not come to its end:\n${text}`);
  return findings;
}

for (const [what, port, words] of [
  ["POP3S", "pop3s", []],
  ["STLS", "pop3", ["-t", "pop3"]],
] as const) {
  test(`testssl.sh shows nothing above "low" on ${what}`, { timeout: 300_000 }, async (t) => {
    await using stack = new AsyncDisposableStack();
    const { server, authority } = await start(stack);
    const findings = await testssl(scratch(stack), authority, [...words, `localhost:${server.ports[port]}`]);
    const shown = findings.filter(({ severity }) => !harmless.includes(severity) || severity === "LOW");
    for (const { id, severity, finding } of shown) t.diagnostic(`${severity} ${id}: ${finding}`);
    const counted = shown.filter(({ id, severity }) => severity !== "LOW" && !ofTheAuthority.test(id));
    assert.deepEqual(counted, []);
    assert.ok(server.running, "it did not crash");
  });
}

test("nmap sees what CAPA says and no more", { timeout: 120_000 }, async () => {
  await using stack = new AsyncDisposableStack();
  const { server, authority } = await start(stack);
  const { pop3, pop3s } = server.ports;
  const scripts = "+pop3-capabilities,+pop3-ntlm-info,+ssl-enum-ciphers";
  const { text } = await mustRun("nmap", ["-Pn", "-p", `${pop3},${pop3s}`, "--script", scripts, "127.0.0.1"]);
  assert.doesNotMatch(text, /ntlm|SSLv|TLSv1\.[01]|: [B-F]$/im);
  assert.match(text, /least strength: A$/m);
  const ca = readFileSync(authority, "utf8");
  const said = text.split("\n").filter((line) => line.includes("pop3-capabilities:"));
  // nmap goes by the number of the port.
  for (const [index, port] of [pop3, pop3s].toSorted((one, other) => one - other).entries()) {
    await using session = await Pop3.open(port, port === pop3s ? { tls: "implicit", ca } : {});
    const capabilities = await session.lines("CAPA");
    const seen = (said[index] ?? "").replace(/^.*pop3-capabilities: /, "");
    // nmap writes `SASL(PLAIN LOGIN)` for a line with arguments.
    const expected = capabilities.map((line) => line.replace(/^(\S+) (.*)$/, "$1($2)"));
    assert.deepEqual(seen.match(/[\w-]+(\([^)]*\))?/g)?.toSorted(), expected.toSorted());
  }
});
