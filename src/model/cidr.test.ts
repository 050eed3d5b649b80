import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { contains, containsAny, formatCidr, parseCidr, type Cidr } from "./cidr.ts";

function cidr(text: string): Cidr {
  const parsed = parseCidr(text);
  assert.ok(parsed.ok, text);
  return parsed.value;
}

describe("parseCidr", () => {
  const good: readonly (readonly [string, string])[] = [
    ["10.0.0.0/8", "10.0.0.0/8"],
    ["0.0.0.0/0", "0.0.0.0/0"],
    ["192.0.2.7", "192.0.2.7/32"],
    ["2001:DB8::/32", "2001:db8::/32"],
    ["::/0", "::/0"],
    ["::1", "::1/128"],
    ["::ffff:10.0.0.0/104", "10.0.0.0/8"],
    ["::ffff:192.0.2.7", "192.0.2.7/32"],
  ];
  for (const [text, canonical] of good) {
    it(`reads ${text}`, () => assert.equal(formatCidr(cidr(text)), canonical));
  }

  const bad: readonly (readonly [string, string])[] = [
    ["", "bad-address"],
    ["example.com/8", "bad-address"],
    ["10.0.0/8", "bad-address"],
    ["fe80::1%eth0/64", "bad-address"],
    ["10.0.0.0/", "bad-bits"],
    ["10.0.0.0/33", "bad-bits"],
    ["10.0.0.0/08", "bad-bits"],
    ["10.0.0.0/-1", "bad-bits"],
    ["10.0.0.0/8/8", "bad-bits"],
    ["::/129", "bad-bits"],
    ["::ffff:10.0.0.0/8", "bad-bits"],
    ["10.0.0.1/8", "host-bits"],
    ["2001:db8::1/64", "host-bits"],
  ];
  for (const [text, error] of bad) {
    it(`refuses ${JSON.stringify(text)}: ${error}`, () => assert.deepEqual(parseCidr(text), { ok: false, error }));
  }
});

describe("contains", () => {
  const cases: readonly (readonly [string, string, boolean])[] = [
    ["10.0.0.0/8", "10.255.0.1", true],
    ["10.0.0.0/8", "11.0.0.1", false],
    ["192.0.2.0/25", "192.0.2.127", true],
    ["192.0.2.0/25", "192.0.2.128", false],
    ["10.0.0.0/8", "::ffff:10.1.2.3", true],
    ["10.0.0.0/8", "a00::1", false],
    ["0.0.0.0/0", "::1", false],
    ["::/0", "192.0.2.1", false],
    ["fe80::/10", "fe80::1%eth0", true],
    ["2001:db8::/33", "2001:db8:7fff::1", true],
    ["2001:db8::/33", "2001:db8:8000::1", false],
    ["0.0.0.0/0", "unix", false],
    ["0.0.0.0/0", "unknown", false],
  ];
  for (const [network, address, expected] of cases) {
    it(`${network} ${address}: ${expected}`, () => assert.equal(contains(cidr(network), address), expected));
  }

  it("asks each network of a list", () => {
    const list = [cidr("10.0.0.0/8"), cidr("::1")];
    assert.deepEqual(
      ["10.1.1.1", "::1", "::2"].map((address) => containsAny(list, address)),
      [true, true, false],
    );
    assert.equal(containsAny([], "10.1.1.1"), false);
  });
});
