import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { domain } from "./harness/configuration.ts";
import { addressOf, passwordOf } from "./harness/installation.ts";
import { startPostfix } from "./harness/postfix.ts";
import { buildRig } from "./harness/rig.ts";
import { startMailkeep } from "./harness/server.ts";
import { until } from "./harness/wait.ts";

const messages = 2_000;
const users = Array.from({ length: 20 }, (_, index) => `user${index + 1}`);

test("mail through a real Postfix arrives once, each with its CRC", { timeout: 300_000 }, async () => {
  await using stack = new AsyncDisposableStack();
  const server = await startMailkeep(stack, { users });
  const postfix = await startPostfix(stack, { domain, lmtp: server.ports.lmtp });
  const place = path.join(server.installation.folder, "rig");
  mkdirSync(place);
  const rig = await buildRig(place);
  const file = rig.users(
    "users.txt",
    users.map((user) => [addressOf(user), passwordOf(user)]),
  );
  const acks = path.join(place, "acks");

  const what = ["--users", file, "--messages", String(messages), "--size", "log:2000-50000", "--ack-file", acks];
  const sent = await rig.load("smtpload", ["--port", String(postfix.smtp), "--conns", "10", ...what], 180);
  assert.deepEqual(sent.errors, {}, "Postfix takes all");
  assert.equal(sent["acknowledged"], messages);
  await until(`Postfix's queue to be empty\n${postfix.log().slice(-2000)}`, 60, async () => {
    return (await postfix.queued()).length === 0;
  });

  const fetching = ["--script", "fetch", "--users", file, "--sessions", String(users.length), "--conns", "5"];
  const wanted = ["--manifest", acks, "--seconds", "120"];
  const found = await rig.load("popload", ["--port", String(server.ports.pop3s), "--tls", ...fetching, ...wanted], 150);
  assert.deepEqual(found.errors, {}, "each message is as it was sent");
  assert.deepEqual(found["manifest"], { ids: messages, missing: 0, duplicate: 0, unknown: 0 });
  assert.equal(found["crc_checked"], messages);
});
