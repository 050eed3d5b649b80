import assert from "node:assert/strict";
import { copyFileSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { makeCertificate } from "./harness/certificate.ts";
import { ask, metric } from "./harness/http.ts";
import { addressOf, install, passwordOf } from "./harness/installation.ts";
import { deliver, login, maildropHolds } from "./harness/maildrop.ts";
import { Pop3 } from "./harness/pop3.ts";
import { mustRun } from "./harness/process.ts";
import { launch, startMailkeep, type Server } from "./harness/server.ts";
import { Smtp } from "./harness/smtp.ts";
import { until, within } from "./harness/wait.ts";

const options = { timeout: 120_000 };
const user = addressOf("box");

test("health tells of life at once, of readiness when every listener is bound", options, async () => {
  await using stack = new AsyncDisposableStack();
  const installation = await install(stack, { users: ["box"] });
  const server = launch(stack, installation);
  const live = await until("an answer of /health/live", 20, () =>
    ask(installation.ports.http, "/health/live").catch(() => undefined),
  );
  assert.equal(live.status, 200);
  await server.event("server.ready", 20);
  for (const place of ["/health/live", "/health/ready"]) {
    assert.equal((await ask(installation.ports.http, place)).status, 200, place);
  }
  assert.equal((await ask(installation.ports.http, "/nothing")).status, 404);
});

test("metrics are clean for promtool, count what happened, and name nobody", options, async () => {
  await using stack = new AsyncDisposableStack();
  const server = await startMailkeep(stack, { users: ["box"] });
  const mail = await deliver(server, "box", 25, 61);
  await maildropHolds(server, "box", mail);
  await refuse(server, passwordOf("box").slice(1));
  const { http } = server.ports;
  const { status, type, text } = await ask(http, "/metrics");
  assert.equal(status, 200);
  assert.match(type, /^text\/plain/);
  const checked = await mustRun("promtool", ["check", "metrics"], { input: text });
  assert.equal(checked.text + checked.stderr, "", "promtool has no complaint");
  assert.equal(await metric(http, 'mailkeep_deliveries_total{outcome="stored"}'), mail.length);
  assert.equal(await metric(http, "mailkeep_pop3_messages_sent_total"), mail.length);
  assert.equal(await metric(http, 'mailkeep_pop3_sessions_total{end="quit"}'), 1);
  assert.equal(await metric(http, 'mailkeep_logins_total{outcome="ok"}'), 1);
  assert.equal(await metric(http, 'mailkeep_logins_total{outcome="refused"}'), 1);
  assert.doesNotMatch(text, /e2e\.test|box@|127\.0\.0/, "no address is a label");
});

test("no password reaches the log, the metrics or an answer (P7)", options, async () => {
  await using stack = new AsyncDisposableStack();
  const server = await startMailkeep(stack, { users: ["box"], config: { log: { level: "debug" } } });
  const secrets = [passwordOf("box"), "wrong-horse-battery", "s3cret with spaces", "mistyped-as-user-name-9"];
  const [right = "", ...wrong] = secrets;
  await (await login(server, "box")).quit();
  for (const password of wrong.slice(0, 2)) await refuse(server, password);
  const { ca } = server.installation;
  const encoded = (password: string) => Buffer.from(`\0${user}\0${password}`).toString("base64");
  {
    await using session = await Pop3.open(server.ports.pop3, { tls: "starttls", ca, localAddress: "127.0.0.31" });
    await session.command(`AUTH PLAIN ${encoded(wrong[0] ?? "")}`);
    // A password typed where a command or a name belongs.
    await session.command(wrong[2] ?? "");
    await session.command(`PASS ${right}`);
    // A login in clear text is refused, and what it showed is not repeated.
    await using clear = await Pop3.open(server.ports.pop3, { localAddress: "127.0.0.32" });
    const answers = [await clear.command(`USER ${user}`), await clear.command(`PASS ${right}`)];
    for (const answer of answers) assert.doesNotMatch(answer, new RegExp(right));
  }
  await using submission = await Smtp.open(server.ports.submission, { starttls: true, ca, localAddress: "127.0.0.33" });
  assert.equal((await submission.command(`AUTH PLAIN ${encoded(wrong[0] ?? "")}`)).code, 535);
  await submission.must(`AUTH PLAIN ${encoded(right)}`, 235);
  await submission.quit();
  const metrics = (await ask(server.ports.http, "/metrics")).text;
  await server.stop();
  assert.ok(server.events("login.ok").length > 0 && server.events("login.refused").length > 0, "logins are logged");
  for (const secret of secrets) {
    for (const form of [secret, Buffer.from(secret).toString("base64").replace(/=+$/, ""), encoded(secret)]) {
      assert.ok(!server.output.includes(form), `${form} is in the log:\n${lineWith(server.output, form)}`);
      assert.ok(!metrics.includes(form), `${form} is in the metrics`);
    }
  }
});

test("a log line is JSON with a time, a level, an event, and a sequence without gaps", options, async () => {
  await using stack = new AsyncDisposableStack();
  const server = await startMailkeep(stack, { users: ["box"] });
  await deliver(server, "box", 5, 62);
  await (await login(server, "box")).quit();
  await server.stop();
  for (const line of server.log) {
    assert.match(String(line["time"]), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assert.match(String(line["level"]), /^(debug|info|warn|error)$/);
    assert.match(String(line["event"]), /^[a-z0-9]+(\.[a-z0-9]+)+$/);
  }
  const numbers = server.log.map((line) => Number(line["seq"])).toSorted((a, b) => a - b);
  assert.deepEqual(
    numbers,
    numbers.map((_, index) => index + 1),
    "no event is lost",
  );
});

test("SIGHUP applies what can be applied, and refuses by name what needs a restart", options, async () => {
  await using stack = new AsyncDisposableStack();
  const server = await startMailkeep(stack, { users: ["box"] });
  const { installation } = server;
  await using session = await login(server, "box");
  installation.configure({ log: { level: "debug" }, limits: { message_octets: "1 MiB" } });
  server.signal("SIGHUP");
  await server.event("server.reloaded", 10);
  await until("the new limit to hold", 5, async () => {
    await using sender = await Smtp.open(server.ports.smtp);
    return sender.extensions.includes("SIZE 1048576");
  });
  installation.configure({ server: { data_directory: path.join(installation.folder, "elsewhere") } });
  server.signal("SIGHUP");
  const refused = await server.event("server.reload.refused", 10);
  assert.match(JSON.stringify(refused), /server\.data_directory/);
  writeFileSync(installation.configFile, "server: [");
  server.signal("SIGHUP");
  const bad = await server.event("server.reload.refused", 10, 1);
  assert.match(JSON.stringify(bad), /mailkeep\.yaml:1/);
  await session.must("NOOP");
  await session.quit();
  assert.ok(server.running);
});

for (const how of ["on SIGHUP", "when the files change"] as const) {
  test(`a new certificate is taken ${how} without dropping a session`, options, async () => {
    await using stack = new AsyncDisposableStack();
    const server = await startMailkeep(stack, { users: ["box"] });
    const { folder, tls } = server.installation;
    const next = await makeCertificate(folder, "next");
    await using session = await login(server, "box");
    assert.equal(await shown(server), await fingerprint(tls.certificate));
    const loaded = server.events("tls.loaded").length;
    // As an ACME client does: new files, renamed over the old ones.
    for (const [from, to] of [
      [next.key, tls.key],
      [next.certificate, tls.certificate],
    ] as const) {
      copyFileSync(from, `${to}.new`);
      renameSync(`${to}.new`, to);
    }
    if (how === "on SIGHUP") server.signal("SIGHUP");
    await server.event("tls.loaded", 30, loaded);
    const wanted = await fingerprint(next.certificate);
    await until("the new certificate", 10, async () => (await shown(server)) === wanted);
    await session.must("NOOP");
    await session.quit();
  });
}

test("a new certificate that does not fit is refused, and the old one stays", options, async () => {
  await using stack = new AsyncDisposableStack();
  const server = await startMailkeep(stack, { users: ["box"] });
  const { folder, tls } = server.installation;
  const before = await fingerprint(tls.certificate);
  const old = readFileSync(tls.certificate);
  copyFileSync((await makeCertificate(folder, "misfit")).certificate, tls.certificate);
  server.signal("SIGHUP");
  await server.event("tls.failed", 30);
  assert.equal(await shown(server), before);
  writeFileSync(tls.certificate, old);
});

test("SIGTERM lets sessions finish, accepts no new ones, and ends with 0", options, async () => {
  await using stack = new AsyncDisposableStack();
  const server = await startMailkeep(stack, { users: ["box"], config: { server: { drain_seconds: 20 } } });
  const mail = await deliver(server, "box", 3, 63);
  await using session = await login(server, "box");
  await session.must("DELE 1");
  server.signal("SIGTERM");
  await server.event("server.stopping", 10);
  await assert.rejects(Pop3.open(server.ports.pop3, { seconds: 3 }), "no new session");
  assert.equal((await session.stat()).messages, mail.length - 1, "the open one goes on");
  await session.quit();
  assert.deepEqual(await within("the end", 15, server.ended), { code: 0, signal: null });
});

test("who does not finish is cut after drain_seconds; a second signal ends at once", options, async () => {
  await using stack = new AsyncDisposableStack();
  const server = await startMailkeep(stack, { users: ["box"], config: { server: { drain_seconds: 2 } } });
  const mail = await deliver(server, "box", 3, 64);
  await using session = await login(server, "box");
  await session.must("DELE 1");
  assert.deepEqual(await server.stop(), { code: 0, signal: null });
  server.installation.configure({ server: { drain_seconds: 60 } });
  await using running = new AsyncDisposableStack();
  const again = launch(running, server.installation);
  await again.event("server.ready", 20);
  await maildropHolds(again, "box", mail);
  await using other = await login(again, "box");
  await other.must("DELE 1");
  again.signal("SIGTERM");
  await again.event("server.stopping", 10);
  // Signals that come together are one wish (Ctrl+C reaches a whole group): later ones are meant.
  await until("the end after a second signal", 5, () => {
    if (again.running) again.signal("SIGTERM");
    return !again.running;
  });
});

async function refuse(server: Server, password: string): Promise<void> {
  const { ca } = server.installation;
  await using session = await Pop3.open(server.ports.pop3s, { tls: "implicit", ca, localAddress: "127.0.0.30" });
  await session.must(`USER ${user}`);
  assert.match(await session.command(`PASS ${password}`), /^-ERR \[AUTH\]/);
}

/** The fingerprint of the certificate that OpenSSL is shown on the POP3S port. */
async function shown(server: Server): Promise<string> {
  const place = `127.0.0.1:${server.ports.pop3s}`;
  const { text } = await mustRun("openssl", ["s_client", "-connect", place, "-servername", "localhost"]);
  const { text: print } = await mustRun("openssl", ["x509", "-noout", "-fingerprint", "-sha256"], { input: text });
  return print.trim();
}

async function fingerprint(file: string): Promise<string> {
  return (await mustRun("openssl", ["x509", "-noout", "-fingerprint", "-sha256", "-in", file])).text.trim();
}

function lineWith(text: string, part: string): string {
  return text.split("\n").find((line) => line.includes(part)) ?? "";
}
