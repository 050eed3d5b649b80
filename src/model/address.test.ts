import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseAddress, parseDomain, splitAddress } from "./address.ts";

describe("parseDomain", () => {
  const right: readonly (readonly [string, string])[] = [
    ["EXAMPLE.Test", "example.test"],
    ["example.test.", "example.test"],
    ["bücher.de", "xn--bcher-kva.de"],
    ["例子。测试", "xn--fsqu00a.xn--0zwm56d"],
    ["ＡＢＣ.test", "abc.test"],
    ["_dmarc.example.test", "_dmarc.example.test"],
    ["localhost", "localhost"],
    [`${"a".repeat(63)}.test`, `${"a".repeat(63)}.test`],
  ];
  for (const [given, domain] of right) {
    it(`takes ${given.slice(0, 30)}`, () => assert.deepEqual(parseDomain(given), { ok: true, value: domain }));
  }

  const wrong = [
    "",
    ".",
    "a..b",
    ".a",
    "-a.test",
    "a-.test",
    "not/a/domain",
    "a?b.test",
    "a#b.test",
    "a\\b.test",
    "u@b.test",
    "a:80",
    "a%41.test",
    "a b.test",
    "a\tb.test",
    "a\u00adb.test",
    "bücher/x.de",
    "192.0.2.1",
    "127.1",
    "0x7f.1",
    "[192.0.2.1]",
    `${"a".repeat(64)}.test`,
    `${"a.".repeat(130)}test`,
  ];
  for (const given of wrong) {
    it(`refuses ${JSON.stringify(given.slice(0, 30))}`, () => assert.equal(parseDomain(given).ok, false));
  }
});

describe("parseAddress", () => {
  const right: readonly (readonly [string, string])[] = [
    ["Alice@Example.TEST", "alice@example.test"],
    ['"alice"@example.test', "alice@example.test"],
    ["alice+tag@example.test", "alice+tag@example.test"],
    ["o'brien!#$%&*/=?^_`{|}~-@example.test", "o'brien!#$%&*/=?^_`{|}~-@example.test"],
    ["E\u0301lise@example.test", "élise@example.test"],
    ["用户@例子.测试", "用户@xn--fsqu00a.xn--0zwm56d"],
    ["T\u0308im@example.test", "\u1e97im@example.test"],
  ];
  for (const [given, address] of right) {
    it(`takes ${given}`, () => assert.deepEqual(parseAddress(given), { ok: true, value: address }));
  }

  const wrong = [
    "alice",
    "@example.test",
    "alice@",
    "a..b@example.test",
    ".a@example.test",
    "a.@example.test",
    "a b@example.test",
    '"a b"@example.test',
    "a\u0000@example.test",
    "a\r\n@example.test",
    "alice@example.test/x",
    `${"a".repeat(65)}@example.test`,
    `a@${"b.".repeat(125)}test`,
  ];
  for (const given of wrong) {
    it(`refuses ${JSON.stringify(given.slice(0, 30))}`, () => assert.equal(parseAddress(given).ok, false));
  }
});

describe("splitAddress", () => {
  const parts = (text: string): unknown => {
    const address = parseAddress(text);
    assert(address.ok);
    const { base, tag, domain } = splitAddress(address.value);
    return { base, tag, domain };
  };
  it("takes the tag off at the first plus", () =>
    assert.deepEqual(parts("a+b+c@example.test"), { base: "a@example.test", tag: "b+c", domain: "example.test" }));
  it("leaves an address without a tag as it is", () =>
    assert.deepEqual(parts("a@example.test"), { base: "a@example.test", tag: "", domain: "example.test" }));
  it("does not take a leading plus for a tag", () =>
    assert.deepEqual(parts("+a@example.test"), { base: "+a@example.test", tag: "", domain: "example.test" }));
});
