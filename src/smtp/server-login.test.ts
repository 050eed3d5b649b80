import assert from "node:assert/strict";
import { test } from "node:test";
import { SmtpClient } from "./testing/client.ts";
import { startServer, type TestServer } from "./testing/server.ts";

const A = "a@example.test";
const all = { allowCleartext: false, scram: true, oauth: true };

async function secured(server: TestServer): Promise<SmtpClient> {
  server.house.accounts.set(A, undefined);
  const client = await SmtpClient.connect(server.port);
  await client.wire.startTls();
  await client.reply();
  return client;
}

function bearer(token: string): string {
  return Buffer.from(`n,a=${A},\x01auth=Bearer ${token}\x01\x01`).toString("base64");
}

test("OAUTH-01 a bearer token over TLS; the house is told where the client is, the log nothing of the token", async () => {
  await using server = await startServer({ protocol: "submission", tls: "implicit", policy: all });
  using client = await secured(server);
  assert.match(await client.ask("EHLO x"), /250 AUTH .*SCRAM-SHA-256.* OAUTHBEARER XOAUTH2\r\n$/);
  const long = "t".repeat(16_000);
  assert.match(await client.ask(`AUTH OAUTHBEARER ${bearer(long)}`), /^334 /);
  assert.match(await client.ask("AQ=="), /^535 5\.7\.8/);
  assert.equal(await client.ask("AUTH OAUTHBEARER"), "334 \r\n");
  assert.match(await client.ask(bearer("secret")), /^235/);
  assert.equal(server.house.client?.peer.address, "127.0.0.1");
  assert.match(server.house.client?.tls ?? "", /^TLSv1\.[23]$/);
  assert.ok(!JSON.stringify(server.events).includes("tttt"));
});

test("a session does not outlive its account's end", async () => {
  await using server = await startServer({ protocol: "submission", tls: "implicit", policy: all });
  using client = await secured(server);
  await client.ask("EHLO x");
  assert.match(await client.ask(`AUTH OAUTHBEARER ${bearer("secret")}`), /^235/);
  assert.match(await client.ask(`MAIL FROM:<${A}>`), /^250/);
  assert.match(await client.ask("RSET"), /^250/);
  server.house.ended.add(A);
  assert.match(await client.ask(`MAIL FROM:<${A}>`), /^530/);
});

test("a house that cannot say now is an outage, not a wrong password and no end of an account", async () => {
  await using server = await startServer({ protocol: "submission", tls: "implicit", policy: all });
  using client = await secured(server);
  await client.ask("EHLO x");
  server.house.outage = new Error("the disk is gone");
  const first = Buffer.from("n,,n=a,r=abc").toString("base64");
  assert.match(await client.ask(`AUTH SCRAM-SHA-256 ${first}`), /^454 4\.7\.0 cannot authenticate now/);
  assert.match(await client.ask(`AUTH OAUTHBEARER ${bearer("secret")}`), /^454 4\.7\.0 cannot authenticate now/);
  server.house.outage = undefined;
  assert.match(await client.ask(`AUTH OAUTHBEARER ${bearer("secret")}`), /^235/);
  server.house.outage = new Error("the disk is gone");
  assert.match(await client.ask(`MAIL FROM:<${A}>`), /^451/);
  server.house.outage = undefined;
  assert.match(await client.ask(`MAIL FROM:<${A}>`), /^250/);
  const asked = server.events.filter(({ event }) => event === "smtp.unavailable").map(({ fields }) => fields);
  assert.deepEqual(
    asked.map((fields) => (fields as { readonly asked: string }).asked),
    ["scram", "login", "allowed"],
  );
});
