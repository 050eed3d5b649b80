import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { ProxyHeaderParser, type ProxyOutcome } from "./proxy-protocol.ts";
import { proxySsl, proxyTlv, proxyV2, tcp4, withChecksum } from "./testing-proxy.ts";

const PROXY = 0x21;
const LOCAL = 0x20;
const TCP4 = 0x11;
const address = tcp4([192, 0, 2, 1], 40_000);
const peer = { address: "192.0.2.1", port: 40_000, proxied: true };
const six = Buffer.from("20010db8000000000000000000000001".repeat(2) + "9c40006e", "hex");

/** What comes of octets given in pieces of one length. */
function parse(octets: Uint8Array, piece = octets.length): ProxyOutcome | undefined {
  const parser = new ProxyHeaderParser();
  for (let at = 0; at < octets.length; at += piece) {
    const outcome = parser.push(octets.subarray(at, at + piece));
    if (outcome?.ok !== true) {
      if (outcome !== undefined) return outcome;
      continue;
    }
    // What comes later is the connection's.
    const rest = Buffer.concat([outcome.value.rest, octets.subarray(at + piece)]);
    return { ok: true, value: { header: outcome.value.header, rest } };
  }
  return undefined;
}

const good: readonly (readonly [string, Buffer, unknown])[] = [
  ["v1 TCP4", Buffer.from("PROXY TCP4 192.0.2.1 198.51.100.1 40000 110\r\n"), { kind: "proxied", peer }],
  [
    "v1 TCP6",
    Buffer.from("PROXY TCP6 2001:DB8:0::1 ::1 1 65535\r\n"),
    { kind: "proxied", peer: { address: "2001:db8::1", port: 1, proxied: true } },
  ],
  [
    "v1 TCP6, an IPv4 address mapped",
    Buffer.from("PROXY TCP6 ::ffff:192.0.2.1 ::1 40000 110\r\n"),
    { kind: "proxied", peer },
  ],
  ["v1 UNKNOWN", Buffer.from("PROXY UNKNOWN\r\n"), { kind: "local" }],
  ["v1 UNKNOWN with what is ignored", Buffer.from(`PROXY UNKNOWN ${"f".repeat(91)}\r\n`), { kind: "local" }],
  ["v2 TCP4", proxyV2(PROXY, TCP4, address), { kind: "proxied", peer }],
  [
    "v2 TCP6",
    proxyV2(PROXY, 0x21, six),
    { kind: "proxied", peer: { address: "2001:db8::1", port: 40_000, proxied: true } },
  ],
  [
    "v2 TCP6, an IPv4 address mapped",
    proxyV2(PROXY, 0x21, Buffer.from("00000000000000000000ffffc0000201".repeat(2) + "9c40006e", "hex")),
    { kind: "proxied", peer },
  ],
  ["v2 LOCAL, whatever is in it", proxyV2(LOCAL, 0xee, Buffer.from("anything")), { kind: "local" }],
  ["v2 LOCAL, empty", proxyV2(LOCAL, 0), { kind: "local" }],
  ["v2 UNSPEC", proxyV2(PROXY, 0, proxyTlv(4, "padding")), { kind: "local" }],
  ["v2 a unix socket", proxyV2(PROXY, 0x31, Buffer.alloc(216)), { kind: "local" }],
  [
    "v2 TLVs that nobody here needs",
    proxyV2(PROXY, TCP4, address, proxyTlv(0x01, "pop3"), proxyTlv(0x05, "id"), proxyTlv(0xea, Buffer.alloc(600))),
    { kind: "proxied", peer },
  ],
  ["v2 a right checksum", withChecksum(proxyV2(PROXY, TCP4, address)), { kind: "proxied", peer }],
  [
    "v2 TLS with a good certificate",
    proxyV2(
      PROXY,
      TCP4,
      address,
      proxySsl(7, 0, proxyTlv(0x21, "TLSv1.3"), proxyTlv(0x22, "tim"), proxyTlv(0x23, "TLS_AES_128_GCM_SHA256")),
    ),
    {
      kind: "proxied",
      peer,
      tls: {
        version: "TLSv1.3",
        cipher: "TLS_AES_128_GCM_SHA256",
        atProxy: true,
        certificate: { emails: [], commonName: "tim" },
      },
    },
  ],
  [
    "v2 TLS with a certificate that was not verified, and names that are none",
    proxyV2(PROXY, TCP4, address, proxySsl(7, 18, proxyTlv(0x21, "a\r\nb"), proxyTlv(0x22, "tim"))),
    { kind: "proxied", peer, tls: { version: "unknown", cipher: "unknown", atProxy: true } },
  ],
  [
    "v2 TLS without a certificate, though a name is told",
    proxyV2(PROXY, TCP4, address, proxySsl(1, 0, proxyTlv(0x21, "TLSv1.2"), proxyTlv(0x22, "tim"))),
    { kind: "proxied", peer, tls: { version: "TLSv1.2", cipher: "unknown", atProxy: true } },
  ],
  [
    "v2 a name that is no UTF-8 is no name",
    proxyV2(PROXY, TCP4, address, proxySsl(3, 0, proxyTlv(0x22, Buffer.from([0xff])))),
    { kind: "proxied", peer, tls: { version: "unknown", cipher: "unknown", atProxy: true } },
  ],
  ["v2 no TLS", proxyV2(PROXY, TCP4, address, proxySsl(0, 1)), { kind: "proxied", peer }],
];

describe("a header is read, and what is behind it belongs to the protocol", () => {
  for (const [what, octets, header] of good) {
    it(what, () => {
      for (const behind of ["", "USER tim\r\n"]) {
        const whole = Buffer.concat([octets, Buffer.from(behind)]);
        for (const piece of [whole.length, 1, 7]) {
          const outcome = parse(whole, piece);
          assert.ok(outcome?.ok, JSON.stringify(outcome));
          assert.deepEqual(outcome.value.header, header);
          assert.equal(Buffer.from(outcome.value.rest).toString(), behind);
        }
      }
    });
    it(`${what}, cut short, is waited for`, () => {
      for (let length = 1; length < octets.length; length += 1) {
        assert.equal(parse(octets.subarray(0, length)), undefined, `${length} octets`);
      }
    });
  }
});

const line = (text: string): Buffer => Buffer.from(`${text}\r\n`, "latin1");
const spoilt = withChecksum(proxyV2(PROXY, TCP4, address));
spoilt[17] = 9;

const bad: readonly (readonly [string, Buffer, string])[] = [
  ["a client's first command", line("CAPA"), "no-header"],
  ["a TLS client", Buffer.from([0x16, 3, 1]), "no-header"],
  ["lower case", line("proxy TCP4 192.0.2.1 198.51.100.1 1 2"), "no-header"],
  ["almost the signature", Buffer.from("\r\n\r\n\0\r\nQUIX\n"), "no-header"],
  ["v1 without CR", Buffer.from("PROXY TCP4 192.0.2.1 198.51.100.1 1 2\n"), "no-header"],
  ["v1 another family", line("PROXY UDP4 192.0.2.1 198.51.100.1 1 2"), "bad-family"],
  ["v1 two spaces", line("PROXY  TCP4 192.0.2.1 198.51.100.1 1 2"), "bad-family"],
  ["v1 a word too many", line("PROXY TCP4 192.0.2.1 198.51.100.1 1 2 3"), "bad-address"],
  ["v1 a word too few", line("PROXY TCP4 192.0.2.1 198.51.100.1 1"), "bad-address"],
  ["v1 a name", line("PROXY TCP4 localhost 198.51.100.1 1 2"), "bad-address"],
  ["v1 the other family's address", line("PROXY TCP4 ::1 198.51.100.1 1 2"), "bad-address"],
  ["v1 the other family's destination", line("PROXY TCP6 ::1 198.51.100.1 1 2"), "bad-address"],
  ["v1 leading zeros", line("PROXY TCP4 192.0.2.01 198.51.100.1 1 2"), "bad-address"],
  ["v1 a port too high", line("PROXY TCP4 192.0.2.1 198.51.100.1 65536 2"), "bad-address"],
  ["v1 a port with a sign", line("PROXY TCP4 192.0.2.1 198.51.100.1 1 +2"), "bad-address"],
  ["v1 a line without end", Buffer.from(`PROXY UNKNOWN ${"x".repeat(93)}`), "too-long"],
  ["v2 version 1", proxyV2(0x11, TCP4, address), "bad-version"],
  ["v2 another command", proxyV2(0x22, TCP4, address), "bad-version"],
  ["v2 datagrams", proxyV2(PROXY, 0x12, address), "bad-family"],
  ["v2 no family", proxyV2(PROXY, 0x41, address), "bad-family"],
  ["v2 addresses cut off", proxyV2(PROXY, TCP4, address.subarray(1)), "bad-address"],
  ["v2 too long", proxyV2(PROXY, TCP4, Buffer.alloc(16 * 1024 + 1)), "too-long"],
  ["v2 a TLV beyond the end", proxyV2(PROXY, TCP4, address, Buffer.from([4, 0, 1])), "bad-tlv"],
  ["v2 a TLV cut off", proxyV2(PROXY, TCP4, address, Buffer.from([4, 0])), "bad-tlv"],
  ["v2 TLS cut off", proxyV2(PROXY, TCP4, address, proxyTlv(0x20, "abcd")), "bad-tlv"],
  ["v2 inside TLS beyond the end", proxyV2(PROXY, TCP4, address, proxyTlv(0x20, "\x01\0\0\0\0\x21\0\x09")), "bad-tlv"],
  ["v2 TLS told twice", proxyV2(PROXY, TCP4, address, proxySsl(1, 0), proxySsl(7, 0)), "bad-tlv"],
  ["v2 a wrong checksum", spoilt, "bad-checksum"],
  ["v2 a checksum of two octets", proxyV2(PROXY, TCP4, address, proxyTlv(3, "ab")), "bad-checksum"],
  ["v2 two checksums", withChecksum(withChecksum(proxyV2(PROXY, TCP4, address))), "bad-checksum"],
];

describe("what is no header is refused", () => {
  for (const [what, octets, error] of bad) {
    it(`${what}: ${error}`, () => {
      for (const piece of [octets.length, 1]) assert.deepEqual(parse(octets, piece), { ok: false, error });
    });
  }
});

it("mutated headers in any pieces: the same outcome as in one, and no more is taken than a header may have", () => {
  const seeds = good.map(([, octets]) => octets);
  const mutated = fc
    .tuple(fc.constantFrom(...seeds), fc.array(fc.tuple(fc.nat(300), fc.nat(255)), { maxLength: 4 }), fc.nat(40))
    .map(([seed, changes, piece]) => {
      const octets = Buffer.from(seed);
      for (const [at, octet] of changes) octets[at % octets.length] = octet;
      return { octets, piece: piece + 1 };
    });
  fc.assert(
    fc.property(mutated, ({ octets, piece }) => {
      assert.deepEqual(parse(octets, piece), parse(octets));
    }),
  );
  const endless = Buffer.concat([
    proxyV2(LOCAL, 0).subarray(0, 14),
    Buffer.from([0x40, 0x00]),
    Buffer.alloc(16 * 1024),
  ]);
  assert.ok(parse(endless)?.ok);
});
