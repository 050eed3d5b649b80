import assert from "node:assert/strict";
import { test } from "node:test";
import { err, ok } from "../lib/result.ts";
import type { Address } from "../model/address.ts";
import type { AccountId } from "../model/ids.ts";
import { recordingLog, silentLog } from "../observe/testing.ts";
import type { Devices, KnownPlace } from "../store/ports.ts";
import { createPlaceNotes, seedKnownPlaces } from "./known-places.ts";
import { createThrottle } from "./throttle.ts";

const HOUR = 3_600_000;
const ann = 1 as AccountId;
const bob = 2 as AccountId;

type Written = Parameters<Devices["noteKnownPlaces"]>[0];

function recordingDevices(answers: ReturnType<Devices["noteKnownPlaces"]>[] = []) {
  const batches: Written[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  return {
    batches,
    first: promise,
    noteKnownPlaces: (places: Written) => {
      batches.push(places);
      resolve();
      return answers.shift() ?? Promise.resolve(ok(undefined));
    },
  };
}

test("notes are gathered and written together; the same place is noted again after half a day", async () => {
  const devices = recordingDevices();
  const notes = createPlaceNotes({ devices, log: silentLog, gatherMs: 1 });
  notes.note(ann, "198.51.100.0/24", 0);
  notes.note(ann, "198.51.100.0/24", 5);
  notes.note(ann, "203.0.113.0/24", 6);
  notes.note(bob, "198.51.100.0/24", 7);
  // The timer keeps no process alive; this does for as long as it takes.
  const alive = setInterval(() => {}, 1000);
  await devices.first;
  clearInterval(alive);
  assert.deepEqual(devices.batches, [
    [
      { account: ann, place: "198.51.100.0/24", last: 0 },
      { account: ann, place: "203.0.113.0/24", last: 6 },
      { account: bob, place: "198.51.100.0/24", last: 7 },
    ],
  ]);
  notes.note(ann, "198.51.100.0/24", 11 * HOUR);
  notes.note(bob, "198.51.100.0/24", 13 * HOUR);
  await notes[Symbol.asyncDispose]();
  assert.deepEqual(devices.batches[1], [{ account: bob, place: "198.51.100.0/24", last: 13 * HOUR }]);
});

test("disposing writes what waits; what was not written is told, and noted again when its owner comes again", async () => {
  const devices = recordingDevices([Promise.resolve(err("full")), Promise.reject(new Error("gone"))]);
  const { log, events } = recordingLog();
  const notes = createPlaceNotes({ devices, log, gatherMs: HOUR });
  for (let n = 0; n < 3; n++) {
    notes.note(ann, "unix", n);
    await notes[Symbol.asyncDispose]();
  }
  assert.equal(devices.batches.length, 3);
  assert.deepEqual(
    events.map(({ event, fields }) => [event, fields]),
    [
      ["places.not_noted", { places: 1, reason: "full" }],
      ["places.not_noted", { places: 1, reason: "gone" }],
    ],
  );
});

test("P6: a flood of places is bounded", async () => {
  const devices = recordingDevices();
  const notes = createPlaceNotes({ devices, log: silentLog, gatherMs: HOUR });
  for (let n = 0; n < 20_000; n++) notes.note(ann, `10.${n >> 8}.${n & 255}.0/24`, 0);
  await notes[Symbol.asyncDispose]();
  assert.equal(devices.batches[0]?.length, 8192);
});

test("a fresh throttle knows the devices of before the start, those of the last 30 days", async () => {
  const throttle = createThrottle();
  const clock = { now: () => 40 * 24 * HOUR, monotonic: () => 12 };
  const places: (KnownPlace & { address: Address })[] = [
    { account: ann, address: "ann@example.test" as Address, place: "198.51.100.0/24", last: clock.now() - HOUR },
    { account: bob, address: "bob+x@example.test" as Address, place: "2001:db8:1:2::/64", last: clock.now() + HOUR },
  ];
  const asked: unknown[] = [];
  const knownPlaces: Devices["knownPlaces"] = (query) => {
    asked.push(query);
    return Promise.resolve(places);
  };
  assert.equal(await seedKnownPlaces(throttle, { knownPlaces }, clock), 2);
  assert.deepEqual(asked, [{ since: 10 * 24 * HOUR, limit: 16_384 }]);
  for (const [name, network] of [
    ["ann@example.test", "198.51.100.77"],
    ["bob@example.test", "2001:db8:1:2::/64"],
  ] as const) {
    for (let n = 0; n < 100; n++) throttle.failed(name, `192.0.2.${n}`, n, 12);
    assert.equal(throttle.wait(name, network, 12), 0, "a known device is not slowed");
    assert.ok(throttle.wait(name, "203.0.113.1", 12) > 0, "a stranger is");
  }
});
