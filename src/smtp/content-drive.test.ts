import assert from "node:assert/strict";
import { test } from "node:test";
import type { Connection } from "../net/connection.ts";
import type { Driven } from "../net/drive.ts";
import { ContentDrive } from "./content-drive.ts";

const OCTETS = 64 * 1024;

test("a large read is freed once all of it was dealt with, and not before", () => {
  const { drive, heard } = driven();
  drive.takeContent(true);
  const first = Buffer.from(new ArrayBuffer(OCTETS));
  drive.data(first);
  assert.deepEqual([heard(), first.length], [OCTETS, 0]);
  drive.hold();
  const second = Buffer.from(new ArrayBuffer(OCTETS));
  drive.data(second);
  assert.deepEqual([heard(), second.length], [OCTETS, OCTETS]);
  drive.go();
  assert.equal(heard(), 2 * OCTETS);
});

test("a small read, or one that shares its buffer, is left to the collector", () => {
  const { drive, heard } = driven();
  drive.takeContent(true);
  const small = Buffer.from(new ArrayBuffer(100));
  const shared = Buffer.from(new ArrayBuffer(2 * OCTETS), 0, OCTETS);
  drive.data(small);
  drive.data(shared);
  assert.deepEqual([heard(), small.length, shared.length], [OCTETS + 100, 100, OCTETS]);
});

/** A drive over a connection that goes nowhere, and how much content came through it. */
function driven(): { readonly drive: ContentDrive; readonly heard: () => number } {
  let octets = 0;
  const nothing = (): void => {
    // Nobody is at the other end.
  };
  const connection: Connection = {
    peer: { address: "192.0.2.1", port: 1 },
    tls: undefined,
    binding: () => undefined,
    unsent: 0,
    lastProgress: 0,
    stalledSince: Infinity,
    write: nothing,
    cork: nothing,
    uncork: nothing,
    pause: nothing,
    resume: nothing,
    startTls: nothing,
    end: nothing,
    destroy: nothing,
    reset: nothing,
    fail: (cause) => assert.fail(String(cause)),
  };
  const counting: Driven = {
    line: nothing,
    content: (piece) => {
      octets += piece.length;
      return piece.length;
    },
    secured: nothing,
    shutdown: nothing,
    closed: nothing,
    tick: nothing,
    stalled: nothing,
  };
  const options = { lineOctets: 1000, bareLf: true, writeStallSeconds: 300 };
  return { drive: new ContentDrive(connection, options, () => counting), heard: () => octets };
}
