import assert from "node:assert/strict";
import { it } from "node:test";
import { formatListenAddress, parseListenAddress, type ListenAddress } from "./listen-address.ts";

const right: readonly (readonly [string, ListenAddress])[] = [
  ["0.0.0.0:110", { kind: "tcp", host: "0.0.0.0", port: 110 }],
  ["[::]:110", { kind: "tcp", host: "::", port: 110 }],
  ["[fe80::1%eth0]:25", { kind: "tcp", host: "fe80::1%eth0", port: 25 }],
  ["localhost:0", { kind: "tcp", host: "localhost", port: 0 }],
  ["mail.example.com:65535", { kind: "tcp", host: "mail.example.com", port: 65_535 }],
  ["unix:/run/mailkeep/lmtp.sock", { kind: "unix", path: "/run/mailkeep/lmtp.sock" }],
];

it("reads and writes every kind of address", () => {
  for (const [text, address] of right) {
    assert.deepEqual(parseListenAddress(text), address, text);
    assert.equal(formatListenAddress(address), text);
  }
});

it("takes nothing else", () => {
  const wrong = [
    "",
    "110",
    ":110",
    "0.0.0.0",
    "0.0.0.0:",
    "0.0.0.0:65536",
    "::1:110",
    "[::1]",
    "[1.2.3.4]:1",
    "[::1]:x",
  ];
  wrong.push("256.1.1.1:1", "1.2.3:1", "a b:1", "*:110", "http://a:1", "unix:", "unix:l.sock", "unix:/run/");
  wrong.push(`unix:/${"x".repeat(103)}`, "unix:/a\0b");
  for (const text of wrong) assert.equal(parseListenAddress(text), undefined, text);
});
