import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { makeCertificate } from "./harness/certificate.ts";
import { addressOf, passwordOf } from "./harness/installation.ts";
import { deliver, login, maildropHolds } from "./harness/maildrop.ts";
import { Pop3 } from "./harness/pop3.ts";
import { mustRun } from "./harness/process.ts";
import { startMailkeep } from "./harness/server.ts";

/*
 * Issue 3, "observe" and "tls": what an operator watches and changes while the server runs.
 */
const options = { timeout: 120_000 };
const user = "box";

test("health and metrics: promtool is content, and no secret is in them or in the log (P7)", options, async () => {
  await using stack = new AsyncDisposableStack();
  const server = await startMailkeep(stack, { users: [user], config: { log: { level: "debug" } } });
  const kept = await deliver(server, user, 3, 1);
  await maildropHolds(server, user, kept);
  const wrong = "wrong-password-Zx81";
  await using refused = await Pop3.open(server.ports.pop3s, { tls: "implicit", ca: server.installation.ca });
  await refused.must(`USER ${addressOf(user)}`);
  assert.match(await refused.command(`PASS ${wrong}`), /^-ERR \[AUTH\]/);

  const ready = await fetch(`http://127.0.0.1:${server.ports.http}/health/ready`);
  assert.equal(ready.status, 200);
  assert.equal(((await ready.json()) as { status: string }).status, "ready");
  const metrics = await (await fetch(`http://127.0.0.1:${server.ports.http}/metrics`)).text();
  const checked = await mustRun("promtool", ["check", "metrics"], { input: metrics });
  assert.equal(checked.text + checked.stderr, "");
  assert.match(metrics, /^mailkeep_deliveries_total\{outcome="stored"\} 3$/m);
  assert.match(metrics, /^mailkeep_pop3_messages_sent_total 3$/m);
  assert.match(metrics, /^mailkeep_logins_total\{outcome="refused"\} 1$/m);

  await server.stop();
  assert.ok(server.events("login.refused").length > 0);
  for (const secret of [passwordOf(user), wrong].flatMap((text) => [text, Buffer.from(text).toString("base64")])) {
    assert.ok(!metrics.includes(secret) && !server.output.includes(secret), "a password was written");
  }
});

test("a new certificate is served without dropping a session, a wrong one changes nothing", options, async () => {
  await using stack = new AsyncDisposableStack();
  const server = await startMailkeep(stack, { users: [user] });
  const { installation } = server;
  const { folder, tls } = installation;
  const others = path.join(folder, "others");
  mkdirSync(others);
  const young = await makeCertificate(others);

  const trusting = (ca: string) => ({ tls: "implicit", ca }) as const;
  const [oldCa, youngCa] = [installation.ca, readFileSync(young.certificate, "utf8")];

  await using session = await login(server, user);
  // Half of a pair: tried again for a while, then told, and the old pair goes on.
  copyFileSync(young.certificate, tls.certificate);
  const failed = await server.event("tls.failed", 40);
  assert.match(String(failed["reason"]), /does not belong to the certificate/);
  await (await Pop3.open(server.ports.pop3s, trusting(oldCa))).quit();
  // The other half.
  copyFileSync(young.key, tls.key);
  await server.event("tls.loaded", 40, 1);
  await (await Pop3.open(server.ports.pop3s, trusting(youngCa))).quit();
  await assert.rejects(Pop3.open(server.ports.pop3s, trusting(oldCa)));
  await session.must("NOOP");
  await session.quit();
});
