import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { SmtpClient } from "./testing/client.ts";
import type { House } from "./testing/house.ts";
import { startServer, type TestServer } from "./testing/server.ts";

const A = "a@example.test";

describe("a session over a socket", () => {
  test("a message that is pipelined is stored, answered in order, counted and logged", async () => {
    await using server = await startServer();
    using client = await greeted(server);
    client.send(`EHLO client\r\nMAIL FROM:<x@b.example>\r\nRCPT TO:<${A}>\r\nRCPT TO:<who@example.test>\r\nDATA\r\n`);
    assert.deepEqual(await client.codes(5), ["250", "250", "250", "550", "354"]);
    client.send("Subject: x\r\n\r\n..dot\r\n.\r\nQUIT\r\n");
    assert.deepEqual(await client.codes(2), ["250", "221"]);
    assert.equal(await client.rest(), "");
    const [delivered] = server.house.delivered;
    assert.equal(delivered?.content.toString(), "Subject: x\r\n\r\n.dot\r\n");
    assert.deepEqual([delivered?.dotted, delivered?.perRecipient], [true, false]);
    const { envelope } = delivered ?? {};
    assert.deepEqual([envelope?.protocol, envelope?.helo, envelope?.sender], ["ESMTP", "client", "x@b.example"]);
    assert.equal(envelope?.peer.address, "127.0.0.1");
    assert.equal(server.metric('mailkeep_deliveries_total{outcome="stored"}'), 1);
    assert.equal(server.metric('mailkeep_received_octets_total{protocol="smtp"}'), 20);
    assert.equal(server.metric('mailkeep_smtp_commands_total{command="RCPT"}'), 2);
    assert.equal(server.metric('mailkeep_smtp_recipients_refused_total{reason="unknown"}'), 1);
    assert.equal(server.metric("mailkeep_delivery_seconds_count"), 1);
    assert.deepEqual(told(server, "reason", "recipient", "recipients", "octets"), [
      ["smtp.refused", "unknown", "who@example.test"],
      ["smtp.delivered", 1, 20],
    ]);
  });

  test("LMTP asks for the quota again and answers each recipient", async () => {
    await using server = await startServer({ protocol: "lmtp" });
    server.house.accounts.set("b@example.test", undefined);
    server.house.outcomes.set("b@example.test", "over-quota");
    using client = await greeted(server);
    client.send(`LHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<${A}>\r\nRCPT TO:<b@example.test>\r\nDATA\r\n`);
    assert.deepEqual(await client.codes(5), ["250", "250", "250", "250", "354"]);
    client.send(".\r\n");
    assert.deepEqual(await client.codes(2), ["250", "552"]);
    assert.equal(server.house.delivered[0]?.perRecipient, true);
    assert.equal(server.metric('mailkeep_deliveries_total{outcome="over-quota"}'), 1);
    assert.deepEqual(told(server, "reason"), [["smtp.refused", "over-quota"], ["smtp.delivered"]]);
  });

  test("submission: a login, and one that is refused", async () => {
    await using server = await startServer({ protocol: "submission" });
    using client = await greeted(server);
    await client.ask("EHLO x");
    assert.match(await client.ask(`AUTH PLAIN ${plain(A, "wrong")}`), /^535 5\.7\.8/);
    assert.match(await client.ask(`AUTH PLAIN ${plain(A, "secret")}`), /^235 2\.7\.0/);
    assert.match(await client.ask(`MAIL FROM:<${A}>`), /^250/);
    assert.doesNotMatch(JSON.stringify(server.events), /wrong|secret/);
  });

  test("a client that shuts its side down early gets every answer", async () => {
    await using server = await startServer();
    using client = await greeted(server);
    client.send(`HELO x\r\nMAIL FROM:<>\r\nRCPT TO:<${A}>\r\nBDAT 3 LAST\r\nabc`);
    client.wire.finish();
    assert.deepEqual(await client.codes(4), ["250", "250", "250", "250"]);
    assert.equal(await client.rest(), "");
    assert.equal(server.house.delivered.length, 1);
  });

  test("bare line ends: refused, told to the operator, nothing kept", async () => {
    await using server = await startServer();
    using client = await inData(server);
    client.send("a\r\n.\nMAIL FROM:<evil@example.test>\r\n.\r\n");
    assert.match(await client.reply(), /^550 5\.6\.11/);
    assert.deepEqual(server.house.delivered, []);
    assert.equal(server.house.open.size, 0);
    assert.deepEqual(told(server, "kind", "reason"), [
      ["smtp.attack", "bare-line-end"],
      ["smtp.refused", "bare-line-end"],
    ]);
  });

  test("P6: a line without end costs the client its connection, not the server its memory", async () => {
    await using server = await startServer();
    using client = await greeted(server);
    client.send(Buffer.alloc(2 * 1024 * 1024, "x").toString("latin1"));
    client.wire.finish();
    assert.match(await client.rest(), /^500 5\.5\.2/);
  });
});

describe("TLS", () => {
  test("STARTTLS, then a login and a message over it", async () => {
    await using server = await startServer({
      protocol: "submission",
      tls: "starttls",
      policy: { allowCleartext: false },
    });
    using client = await greeted(server);
    assert.match(await client.ask("EHLO x"), /250 STARTTLS\r\n$/);
    assert.match(await client.ask("STARTTLS"), /^220 2\.0\.0/);
    await client.wire.startTls();
    assert.match(await client.ask(`MAIL FROM:<${A}>`), /^503/);
    assert.match(await client.ask("EHLO x"), /250 AUTH PLAIN LOGIN\r\n$/);
    assert.match(await client.ask(`AUTH PLAIN ${plain(A, "secret")}`), /^235/);
    client.send(`MAIL FROM:<${A}>\r\nRCPT TO:<${A}>\r\nBDAT 3 LAST\r\nabcQUIT\r\n`);
    assert.deepEqual(await client.codes(4), ["250", "250", "250", "221"]);
    const [delivered] = server.house.delivered;
    assert.equal(delivered?.envelope.protocol, "ESMTPSA");
    assert.equal(delivered?.envelope.submitter, A);
    assert.match(delivered?.envelope.tls?.version ?? "", /^TLSv1\.[23]$/);
  });

  test("P5: what is pipelined behind STARTTLS is never obeyed", async () => {
    await using server = await startServer({ tls: "starttls" });
    using client = await greeted(server);
    client.send("EHLO x\r\nSTARTTLS\r\nMAIL FROM:<evil@b.example>\r\n");
    assert.match(await client.reply(), /^250-/);
    assert.equal(await client.rest(), "554 5.5.1 commands behind STARTTLS, closing\r\n");
    assert.deepEqual(told(server, "kind"), [["smtp.attack", "octets-behind-starttls"]]);
  });

  test("implicit TLS is told in the trace", async () => {
    await using server = await startServer({ tls: "implicit" });
    server.house.accounts.set(A, undefined);
    using client = await SmtpClient.connect(server.port);
    await client.wire.startTls();
    assert.match(await client.reply(), /^220 /);
    assert.doesNotMatch(await client.ask("EHLO x"), /STARTTLS/);
    client.send(`MAIL FROM:<>\r\nRCPT TO:<${A}>\r\nBDAT 0 LAST\r\n`);
    assert.deepEqual(await client.codes(3), ["250", "250", "250"]);
    assert.equal(server.house.delivered[0]?.envelope.protocol, "ESMTPS");
  });
});

describe("a client that vanishes", () => {
  const rcpt = `HELO x\r\nMAIL FROM:<>\r\nRCPT TO:<${A}>\r\n`;
  const stages: readonly { readonly at: string; readonly text: string; readonly replies: number }[] = [
    { at: "after the greeting", text: "", replies: 0 },
    { at: "in the middle of a command", text: "HELO", replies: 0 },
    { at: "after MAIL", text: "HELO x\r\nMAIL FROM:<>\r\n", replies: 2 },
    { at: "after RCPT", text: rcpt, replies: 3 },
    { at: "after DATA", text: `${rcpt}DATA\r\n`, replies: 4 },
    { at: "in the middle of a content", text: `${rcpt}DATA\r\nabc\r\n.\r`, replies: 4 },
    { at: "in the middle of a chunk", text: `${rcpt}BDAT 10 LAST\r\nabc`, replies: 3 },
    { at: "between chunks", text: `${rcpt}BDAT 3\r\nabc`, replies: 4 },
  ];
  for (const { at, text, replies } of stages) {
    for (const how of ["by a reset", "by closing"] as const) {
      test(`${at}, ${how}: nothing is stored and nothing is left`, async () => {
        await using server = await startServer();
        using client = await greeted(server);
        client.send(text);
        await client.codes(replies);
        if (how === "by a reset") client.reset();
        else client.wire.finish();
        await server.listener.idle();
        assert.deepEqual(server.house.delivered, []);
        assert.equal(server.house.open.size, 0);
      });
    }
  }

  test("while its message is stored: it is stored all the same", async () => {
    await using server = await startServer();
    const answer = Promise.withResolvers<void>();
    using client = await inData(server);
    server.house.held = answer.promise;
    client.send("abc\r\n.\r\n");
    await until(() => server.metric('mailkeep_received_octets_total{protocol="smtp"}') === 5);
    client.reset();
    await server.listener.idle();
    assert.equal(server.house.delivered.length, 0);
    answer.resolve();
    await until(() => server.events.some(({ event }) => event === "smtp.delivered"));
    assert.equal(server.house.delivered[0]?.content.toString(), "abc\r\n");
  });

  test("while its login is judged, or its recipient: the answer finds nobody", async () => {
    await using server = await startServer({ protocol: "submission" });
    const answer = Promise.withResolvers<void>();
    server.house.held = answer.promise;
    using client = await greeted(server);
    await client.ask("EHLO x");
    client.send(`AUTH PLAIN ${plain(A, "secret")}\r\n`);
    await until(() => server.house.logins === 1);
    client.reset();
    await server.listener.idle();
    answer.resolve();
    await turn();
    assert.deepEqual(server.events, []);
  });
});

describe("deadlines", () => {
  test("silence between commands", async () => {
    await using server = await startServer();
    using client = await greeted(server);
    server.pass(300);
    assert.match(await client.ask("NOOP"), /^250/);
    server.pass(302);
    assert.match(await client.rest(), /^421 4\.4\.2 nothing/);
  });

  test("a command that comes drop by drop", async () => {
    await using server = await startServer();
    using client = await greeted(server);
    for (const drop of ["N", "O", "O"]) {
      client.send(drop);
      await turn();
      server.pass(101);
    }
    assert.match(await client.rest(), /^421 4\.4\.2 nothing/);
  });

  test("a content that stops", async () => {
    await using server = await startServer();
    using client = await inData(server);
    const octets = 900_000;
    client.send(Buffer.alloc(octets, "x").toString("latin1"));
    await until(() => server.metric('mailkeep_received_octets_total{protocol="smtp"}') === octets);
    server.pass(302);
    assert.match(await client.rest(), /^421 4\.4\.2 nothing/);
    assert.equal(server.house.open.size, 0);
  });

  test("a content that comes drop by drop", async () => {
    await using server = await startServer();
    using client = await inData(server);
    for (let i = 0; i < 4; i += 1) {
      client.send("x");
      await until(() => (server.metric('mailkeep_received_octets_total{protocol="smtp"}') ?? 0) > i);
      server.pass(100);
    }
    assert.match(await client.rest(), /^421 4\.4\.2 the message took too long/);
    assert.equal(server.house.open.size, 0);
  });

  test("a content that takes longer than any may, however fast it comes", async () => {
    await using server = await startServer({ limits: { contentSeconds: 10 } });
    using client = await inData(server);
    client.send(Buffer.alloc(500_000, "x").toString("latin1"));
    await until(() => server.metric('mailkeep_received_octets_total{protocol="smtp"}') === 500_000);
    server.pass(12);
    assert.match(await client.rest(), /^421 4\.4\.2 the message took too long/);
  });

  test("a house that does not answer", async () => {
    await using server = await startServer();
    using client = await greeted(server);
    server.house.held = new Promise(() => {});
    client.send(`HELO x\r\nMAIL FROM:<>\r\nRCPT TO:<${A}>\r\n`);
    await client.codes(2);
    server.pass(302);
    assert.match(await client.rest(), /^421 4\.3\.0/);
  });
});

describe("a house in trouble", () => {
  test("a port that fails is answered as an outage, which the operator is told of", async () => {
    await using server = await startServer({ protocol: "submission" });
    using client = await greeted(server);
    await client.ask("EHLO x");
    server.house.outage = new Error("the disk is gone");
    assert.match(await client.ask(`AUTH PLAIN ${plain(A, "secret")}`), /^454 4\.7\.0/);
    server.house.outage = undefined;
    await client.ask(`AUTH PLAIN ${plain(A, "secret")}`);
    await client.ask("MAIL FROM:<>");
    server.house.outage = new Error("the disk is gone");
    assert.match(await client.ask(`RCPT TO:<${A}>`), /^451 4\.3\.0/);
    server.house.outage = undefined;
    await client.ask(`RCPT TO:<${A}>`);
    await client.ask("DATA");
    server.house.outage = new Error("the disk is gone");
    assert.match(await client.ask("."), /^451 4\.3\.0/);
    const outages = told(server, "asked", "reason").filter(([event]) => event === "smtp.unavailable");
    assert.deepEqual(
      outages.map(([, asked]) => asked),
      ["login", "recipient", "deliver"],
    );
    assert.match(String(outages[0]?.[2]), /the disk is gone/);
  });

  test("a content that could not be kept is answered at its end", async () => {
    await using server = await startServer();
    using client = await inData(server);
    client.send("abc\r\n");
    await until(() => server.house.open.size === 1);
    for (const sink of server.house.open) sink.failure = "full";
    assert.match(await client.ask("."), /^452 4\.3\.1/);
  });

  test("a sink that is behind makes the client wait, and no longer than needed", async () => {
    await using server = await startServer();
    server.house.window = 100_000;
    using client = await inData(server);
    const content = Buffer.alloc(998_000, `${"x".repeat(98)}\r\n`);
    client.send(content.toString());
    client.send("more\r\n.\r\nNOOP\r\n");
    const [sink] = await opened(server.house);
    await until(() => (sink?.octets ?? 0) > 100_000);
    for (let i = 0; i < 200; i += 1) await turn();
    const stopped = sink?.octets ?? 0;
    assert.ok(stopped < 300_000, `${stopped} octets were taken`);
    server.house.window = Infinity;
    sink?.ready();
    assert.deepEqual(await client.codes(2), ["250", "250"]);
    assert.equal(server.house.delivered[0]?.content.length, content.length + 6);
  });

  test("a client that vanishes while the sink is behind leaves nothing", async () => {
    await using server = await startServer();
    server.house.window = 10;
    using client = await inData(server);
    client.send(`${"x".repeat(1000)}\r\n`);
    const [sink] = await opened(server.house);
    await until(() => (sink?.octets ?? 0) > 10);
    client.reset();
    // A paused socket learns of a reset only when it is read again, or by the deadline.
    server.pass(610);
    await server.listener.idle();
    sink?.ready();
    assert.equal(server.house.open.size, 0);
  });
});

describe("a stopping server", () => {
  test("says so between messages and closes", async () => {
    await using server = await startServer();
    using client = await greeted(server);
    server.listener.shutdown();
    assert.match(await client.rest(), /^421 4\.3\.2/);
    await server.listener.idle();
  });

  test("lets a message that is coming be stored first", async () => {
    await using server = await startServer();
    using client = await inData(server);
    client.send("half");
    await until(() => server.metric('mailkeep_received_octets_total{protocol="smtp"}') === 4);
    server.listener.shutdown();
    client.send("\r\n.\r\nMAIL FROM:<>\r\n");
    assert.deepEqual(await client.codes(2), ["250", "421"]);
    assert.equal(await client.rest(), "");
    assert.equal(server.house.delivered[0]?.content.toString(), "half\r\n");
  });
});

/** The events, each with those of the named fields that it has. */
function told(server: TestServer, ...names: readonly string[]): unknown[][] {
  return server.events.map(({ event, fields }) => {
    const given = fields as Readonly<Record<string, unknown>>;
    return [event, ...names.filter((name) => Object.hasOwn(given, name)).map((name) => given[name])];
  });
}

async function greeted(server: TestServer): Promise<SmtpClient> {
  server.house.accounts.set(A, undefined);
  const client = await SmtpClient.connect(server.port);
  assert.match(await client.reply(), /^220 /);
  return client;
}

async function inData(server: TestServer): Promise<SmtpClient> {
  const client = await greeted(server);
  client.send(`HELO x\r\nMAIL FROM:<>\r\nRCPT TO:<${A}>\r\nDATA\r\n`);
  assert.deepEqual(await client.codes(4), ["250", "250", "250", "354"]);
  return client;
}

async function opened(house: House): Promise<readonly (typeof house.open extends Set<infer Sink> ? Sink : never)[]> {
  await until(() => house.open.size > 0);
  return [...house.open];
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await turn();
}

function plain(user: string, password: string): string {
  return Buffer.from(`\0${user}\0${password}`).toString("base64");
}
