import assert from "node:assert/strict";
import { isIP } from "node:net";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { formatIp, parseIp, withoutMapping } from "./ip-address.ts";

describe("parseIp", () => {
  const cases: readonly (readonly [string, string | undefined])[] = [
    ["192.0.2.1", "192.0.2.1"],
    ["255.255.255.255", "255.255.255.255"],
    ["256.0.0.1", undefined],
    ["01.2.3.4", undefined],
    ["1.2.3", undefined],
    ["1.2.3.4.5", undefined],
    ["", undefined],
    ["::", "::"],
    ["::1", "::1"],
    ["1::", "1::"],
    ["2001:0DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["1:0:3:4:5:6:7:8", "1:0:3:4:5:6:7:8"],
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["64:ff9b::192.0.2.1", "64:ff9b::c000:201"],
    ["1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"],
    ["1:2:3:4:5:6:7:8::", undefined],
    ["1::2::3", undefined],
    [":::", undefined],
    [":1", undefined],
    ["1:", undefined],
    ["12345::", undefined],
    ["1.2.3.4::", undefined],
    ["1:2:3:4:5:6:7", undefined],
    ["fe80::1%eth0", undefined],
  ];
  for (const [text, canonical] of cases) {
    it(`${JSON.stringify(text)} is ${canonical ?? "no address"}`, () => {
      const octets = parseIp(text);
      assert.equal(octets && formatIp(octets), canonical);
    });
  }

  it("takes what the system takes, zones apart", () => {
    const piece = fc.oneof(fc.constantFrom(":", "::", ".", "0", "1", "ff", "ffff", "192.0.2.1", "256"), fc.ipV6());
    fc.assert(
      fc.property(
        fc.oneof(
          fc.ipV4(),
          fc.ipV6(),
          fc.array(piece, { maxLength: 12 }).map((p) => p.join("")),
        ),
        (text) => {
          assert.equal(parseIp(text) !== undefined, isIP(text) !== 0, text);
        },
      ),
    );
  });

  it("reads back what it wrote", () => {
    const octets = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => [...bytes]);
    fc.assert(fc.property(octets, (bytes) => assert.deepEqual(parseIp(formatIp(bytes)), withoutMapping(bytes))));
  });
});
