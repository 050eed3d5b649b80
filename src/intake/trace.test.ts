import assert from "node:assert/strict";
import { test } from "node:test";
import type { Address } from "../model/address.ts";
import type { Envelope, Recipient } from "../model/envelope.ts";
import type { AccountId, MailboxId } from "../model/ids.ts";
import { TRACE_OCTETS, traceHeaders } from "./trace.ts";

const AT = Date.UTC(2026, 10, 4, 7, 5, 9);

test("RFC 5321 §4.4: who, from where, by whom, how, for whom, when", () => {
  const tls = { version: "TLSv1.3", cipher: "TLS_AES_256_GCM_SHA384" };
  assert.equal(
    traceHeaders({ ...envelope("tim@example.test"), tls, protocol: "ESMTPS" }, "mail.example.test", "0a1b", AT),
    [
      "Return-Path: <x@b.example>",
      "Received: from client.example ([192.0.2.7])",
      "\tby mail.example.test with ESMTPS (TLSv1.3 TLS_AES_256_GCM_SHA384)",
      "\tid 0a1b",
      "\tfor <tim@example.test>;",
      "\tWed, 04 Nov 2026 07:05:09 +0000",
      "",
    ].join("\r\n"),
  );
});

test("recipients do not learn of each other; a unix socket has no address; IPv6 is marked", () => {
  const two = traceHeaders(envelope("a@example.test", "b@example.test"), "mail.example.test", "1", AT);
  assert.match(two, /\r\n\tid 1;\r\n\tWed, /);
  assert.doesNotMatch(two, /for </);
  const unix = { ...envelope("a@example.test"), peer: { address: "unix", port: 0 }, helo: "localhost" };
  assert.match(traceHeaders(unix, "mail.example.test", "1", AT), /from localhost\r\n/);
  const six = { ...envelope("a@example.test"), peer: { address: "2001:db8::1", port: 1 }, sender: "" };
  assert.match(
    traceHeaders(six, "mail.example.test", "1", AT),
    /^Return-Path: <>\r\nReceived: from client\.example \(\[IPv6:2001:db8::1\]\)/,
  );
});

test("nothing that a client says breaks out of its clause", () => {
  const nasty = {
    ...envelope('"a>\r\nX: y"@example.test'),
    helo: "a (b) \u00e4\r\nX-Bad: 1;",
    sender: '"x>"@b.example',
  };
  const text = traceHeaders(nasty, "mail.example.test", "1", AT);
  assert.match(text, /^Return-Path: <>\r\nReceived: from a\?\?b\?\?\?\?\?X-Bad:\?1\? /);
  for (const line of text.split("\r\n").slice(0, -1))
    assert.match(line, /^(?:Return-Path: |Received: |\t)[\x20-\x7e]*$/);
  assert.match(traceHeaders({ ...envelope(), helo: "" }, "h", "1", AT), /from unknown /);
});

test("RFC 6531: addresses in other scripts stand there only when the client asked for SMTPUTF8", () => {
  const sender = "\u7528\u6237@b.example";
  const plain = { ...envelope("\u7528\u6237@example.test"), sender };
  assert.match(traceHeaders(plain, "h", "1", AT), /^[\t\n\r -~]*$/);
  const asked = traceHeaders({ ...plain, protocol: "UTF8SMTP" }, "h", "1", AT);
  assert.match(asked, /^Return-Path: <\u7528\u6237@b\.example>/);
  assert.match(asked, /for <\u7528\u6237@example\.test>;/);
});

test("the longest of everything still fits", () => {
  const long = {
    ...envelope(`${"\u7528".repeat(100)}@example.test`),
    protocol: "UTF8SMTPSA" as const,
    helo: "h".repeat(300),
    sender: `${"\u7528".repeat(160)}@${"d".repeat(30)}`,
    tls: { version: "TLSv1.3", cipher: "TLS_CHACHA20_POLY1305_SHA256" },
    peer: { address: "2001:0db8:1111:2222:3333:4444:5555:6666", port: 1 },
  };
  const text = traceHeaders(long, "d".repeat(253), "f".repeat(32), AT);
  assert.ok(Buffer.byteLength(text) <= TRACE_OCTETS, String(Buffer.byteLength(text)));
  const tooLong = { ...long, sender: `${"s".repeat(600)}@b.example` };
  assert.match(traceHeaders(tooLong, "h", "1", AT), /^Return-Path: <>/);
});

function envelope(...recipients: readonly string[]): Envelope {
  return {
    protocol: "ESMTP",
    peer: { address: "192.0.2.7", port: 4000 },
    helo: "client.example",
    sender: "x@b.example",
    recipients: recipients.map(recipientOf),
  };
}

function recipientOf(asGiven: string): Recipient {
  const quota = { octets: 1, messages: 1 };
  return { asGiven, address: asGiven as Address, account: 1 as AccountId, mailbox: 1 as MailboxId, quota };
}
