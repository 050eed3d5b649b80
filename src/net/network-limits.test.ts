import assert from "node:assert/strict";
import { test } from "node:test";
import type { Peer } from "../model/peer.ts";
import { createNetworkLimitsMemory, NetworkLimits } from "./network-limits.ts";

function rig(limits: { connections: number; perMinute: number }) {
  const memory = createNetworkLimitsMemory({ connections: 1000, threads: 2 });
  const clock = { now: () => 0, monotonic: () => 0 };
  const on = (thread: number): NetworkLimits => new NetworkLimits(memory, { thread, limits: () => limits, clock });
  return { one: on(1), other: on(2) };
}

const peer = (address: string, proxied = false): Peer => ({ address, port: 1, ...(proxied && { proxied }) });

test("connections of one network, whichever thread they meet", () => {
  const { one, other } = rig({ connections: 2, perMinute: 100 });
  assert.deepEqual(one.enter(peer("192.0.2.1")), { network: "192.0.2.1" });
  assert.deepEqual(other.enter(peer("192.0.2.1")), { network: "192.0.2.1" });
  assert.deepEqual(one.enter(peer("192.0.2.1")), { crowded: "connections" });
  assert.deepEqual(one.enter(peer("192.0.2.2")), { network: "192.0.2.2" });
  other.leave("192.0.2.1");
  assert.deepEqual(one.enter(peer("192.0.2.1")), { network: "192.0.2.1" });
});

test("IPv6 counts by /64", () => {
  const { one } = rig({ connections: 1, perMinute: 100 });
  one.enter(peer("2001:db8::1"));
  assert.deepEqual(one.enter(peer("2001:db8::ffff:1")), { crowded: "connections" });
  assert.deepEqual(one.enter(peer("2001:db8:0:1::1")), { network: "2001:db8:0:1::/64" });
});

test("new connections within a minute", () => {
  const { one } = rig({ connections: 100, perMinute: 2 });
  for (let time = 0; time < 2; time += 1) {
    assert.deepEqual(one.enter(peer("192.0.2.1")), { network: "192.0.2.1" });
    one.leave("192.0.2.1");
  }
  assert.deepEqual(one.enter(peer("192.0.2.1")), { crowded: "rate" });
});

test("who is turned away counts neither as open nor as new", () => {
  const limits = { connections: 1, perMinute: 2 };
  const { one } = rig(limits);
  one.enter(peer("192.0.2.1"));
  for (let time = 0; time < 9; time += 1) assert.deepEqual(one.enter(peer("192.0.2.1")), { crowded: "connections" });
  one.leave("192.0.2.1");
  assert.deepEqual(one.enter(peer("192.0.2.1")), { network: "192.0.2.1" });
  one.leave("192.0.2.1");
  for (let time = 0; time < 9; time += 1) assert.deepEqual(one.enter(peer("192.0.2.1")), { crowded: "rate" });
});

test("this machine is not counted, unless a proxy named it", () => {
  const { one } = rig({ connections: 0, perMinute: 0 });
  for (const address of ["127.0.0.1", "127.9.9.9", "::1", "unix", "unknown"]) {
    assert.equal(one.enter(peer(address)), undefined, address);
  }
  assert.deepEqual(one.enter(peer("127.0.0.1", true)), { crowded: "connections" });
  assert.deepEqual(one.enter(peer("192.0.2.1")), { crowded: "connections" });
});
