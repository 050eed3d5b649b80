import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { networkOf } from "./peer.ts";

describe("networkOf", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["192.0.2.7", "192.0.2.7"],
    ["::ffff:192.0.2.7", "192.0.2.7"],
    ["unix", "unix"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:db8::1", "2001:db8:0:0::/64"],
    ["2001:db8:1:2:3::", "2001:db8:1:2::/64"],
    ["::1", "0:0:0:0::/64"],
    ["fe80::1%eth0", "fe80:0:0:0::/64"],
  ];
  for (const [address, network] of cases) {
    it(`counts ${address} to ${network}`, () => assert.equal(networkOf({ address, port: 1 }), network));
  }
});
