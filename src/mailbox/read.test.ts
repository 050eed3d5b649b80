import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import type { Address } from "../model/address.ts";
import type { MessageReader } from "../model/message-reader.ts";
import type { Uid } from "../model/ids.ts";
import { type OctetsAs, StoreError } from "../store/ports.ts";
import { DiskPace } from "./disk-pace.ts";
import { Places } from "./places.ts";
import { capacityOf, createReadPool, LARGE_AT_A_TIME, LARGE_OCTETS, SMALL_OCTETS } from "./read-pool.ts";
import { openReader } from "./read.ts";
import { MemoryStore, nextPiece, pull } from "./testing.ts";

/** Whether the disk is read in the middle of the loop or beside it. */
type Pace = "now" | "later";

const never = (): never => assert.fail("not to be called");
const nothing = { damaged: never, failed: never };

function house(how: Pace = "now") {
  const store = new MemoryStore();
  const { inbox } = store.addAccount("ann@example.test" as Address);
  const time = { now: 0 };
  const pace = new DiskPace(() => time.now);
  if (how === "later") slowRead(pace, time);
  const pool = createReadPool();
  const given = { out: 0 };
  const told: string[] = [];
  const read = (uid: Uid, octetsAs: OctetsAs = "stored"): MessageReader =>
    openReader(
      {
        bodies: store.bodies,
        pool: {
          take: (octets) => {
            given.out += 1;
            return pool.take(octets);
          },
          give: (buffer) => {
            given.out -= 1;
            pool.give(buffer);
          },
        },
        pace,
      },
      {
        uid,
        places: new Places(store.mail, inbox),
        octets: 0,
        octetsAs,
        watch: {
          damaged: (_, why) => told.push(`damaged: ${why}`),
          failed: (_, why) => told.push(`failed: ${why}`),
        },
      },
    );
  return { store, inbox, time, pool, given, told, read };
}

describe("a small message", () => {
  test("comes whole; what it is is known when it is there", async () => {
    const { store, inbox, read, given } = house();
    const body = Buffer.from("no dots\r\n");
    const reader = read(store.deliver(inbox, body));
    assert.equal(reader.dotted, true, "the safe side");
    assert.deepEqual(await nextPiece(reader), body);
    assert.deepEqual([reader.octets, reader.dotted], [body.length, false]);
    assert.equal(reader.next(never), "end");
    reader.close();
    reader.close();
    assert.equal(store.openFiles, 0);
    assert.equal(given.out, 0);
    const dotted = read(store.deliver(inbox, Buffer.from("a\r\n.b\r\n")));
    await nextPiece(dotted);
    assert.equal(dotted.dotted, true);
    dotted.close();
  });

  test("calls the last one who asked, once", async () => {
    const { store, inbox, read } = house();
    const reader = read(store.deliver(inbox, Buffer.from("mail")));
    const { promise, resolve } = Promise.withResolvers<void>();
    assert.equal(reader.next(never), "later");
    assert.equal(reader.next(resolve), "later");
    await promise;
    assert.deepEqual(reader.next(never), Buffer.from("mail"));
    reader.close();
  });

  test("of no octets is at its end at once", async () => {
    const { store, inbox, read } = house();
    const reader = read(store.deliver(inbox, Buffer.alloc(0)));
    assert.equal(await nextPiece(reader), "end");
    reader.close();
    assert.equal(store.openFiles, 0);
  });

  test("that is not there (any more) is gone", async () => {
    const { read, told } = house();
    assert.deepEqual(await pull(read(99 as Uid)), { pieces: [], end: "gone" });
    assert.deepEqual(told, []);
  });
});

describe("a large message", () => {
  for (const how of ["now", "later"] as const)
    test(`P6: comes in pieces; at most one buffer is held (${how})`, async () => {
      const { store, inbox, read, given } = house(how);
      const body = randomBytes(LARGE_OCTETS * 2 + 1234);
      const reader = read(store.deliver(inbox, body));
      const { pieces, end } = await pull(reader);
      assert.deepEqual(
        pieces.map((piece) => piece.length),
        [LARGE_OCTETS, LARGE_OCTETS, 1234],
      );
      assert.deepEqual(Buffer.concat(pieces), body);
      assert.equal(end, "end");
      assert.deepEqual(store.reads, [how, how, how]);
      assert.equal(given.out, 0);
      assert.equal(store.openFiles, 0);
    });

  test("lets the loop turn before each piece, however fast it is read", async () => {
    const { store, inbox, read } = house();
    const reader = read(store.deliver(inbox, randomBytes(LARGE_OCTETS * 3)));
    for (const piece of ["first", "second", "third"]) {
      let turned = false;
      setImmediate(() => (turned = true));
      assert.equal(typeof (await nextPiece(reader)), "object");
      assert.ok(turned, piece);
    }
    reader.close();
  });

  test("that is closed during a read gives its buffer back only after it", async () => {
    const { store, inbox, read, given } = house("later");
    const reader = read(store.deliver(inbox, randomBytes(LARGE_OCTETS + 1)));
    await new Promise<void>((located) => reader.next(located));
    assert.equal(reader.next(never), "later");
    reader.close();
    assert.equal(given.out, 1, "the disk still writes into it");
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    assert.equal(given.out, 0);
    assert.equal(store.openFiles, 0);
  });
});

test("short reads change nothing: any sizes give the same octets", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: LARGE_OCTETS * 2 }),
      fc.integer({ min: 1000, max: LARGE_OCTETS }),
      fc.constantFrom<Pace>("now", "later"),
      async (length, mostPerRead, how) => {
        const { store, inbox, read, given } = house(how);
        store.disk.mostPerRead = mostPerRead;
        const body = randomBytes(length);
        const { pieces, end } = await pull(read(store.deliver(inbox, body)));
        assert.equal(end, "end");
        assert.ok(Buffer.concat(pieces).equals(body));
        assert.equal(given.out + store.openFiles, 0);
      },
    ),
    { numRuns: 25 },
  );
});

describe("damage is never sent as good mail", () => {
  for (const how of ["now", "later"] as const) {
    test(`a flipped bit in a small message: nothing of it leaves (${how})`, async () => {
      const { store, inbox, read, told, given } = house(how);
      const uid = store.deliver(inbox, randomBytes(5000));
      flip([...store.octets.values()][0], 3000);
      assert.deepEqual(await pull(read(uid)), { pieces: [], end: "damaged" });
      assert.deepEqual(told, ["damaged: its checksum is wrong"]);
      assert.equal(given.out + store.openFiles, 0);
    });

    test(`a flipped bit in a large message: its last piece does not leave (${how})`, async () => {
      const { store, inbox, read, told } = house(how);
      const uid = store.deliver(inbox, randomBytes(LARGE_OCTETS + 5));
      flip([...store.octets.values()][0], 3000);
      const { pieces, end } = await pull(read(uid));
      assert.equal(end, "damaged");
      assert.equal(pieces.length, 1);
      assert.deepEqual(told, ["damaged: its checksum is wrong"]);
    });

    test(`a file that ends early (${how})`, async () => {
      const { store, inbox, read, told } = house(how);
      const uid = store.deliver(inbox, randomBytes(5000));
      const [id, octets] = [...store.octets][0] ?? assert.fail();
      store.octets.set(id, octets.subarray(0, 4999));
      assert.deepEqual(await pull(read(uid)), { pieces: [], end: "damaged" });
      assert.deepEqual(told, ["damaged: it ends after 4999 octets"]);
    });
  }

  test("a row whose body is nowhere", async () => {
    for (const how of ["now", "later"] as const) {
      const { store, inbox, read, told } = house(how);
      const uid = store.deliver(inbox, randomBytes(100));
      store.octets.clear();
      assert.deepEqual(await pull(read(uid)), { pieces: [], end: "damaged" });
      assert.deepEqual(told, ["damaged: its body is missing"]);
    }
  });

  test("a body that reclaim has moved is looked up once more", async () => {
    for (const how of ["now", "later"] as const) {
      const { store, inbox, read, told } = house(how);
      const body = randomBytes(100);
      const uid = store.deliver(inbox, body);
      const box = store.boxes.get(inbox) ?? assert.fail();
      const [moved] = box.rows;
      assert.ok(moved);
      // Between the look-up of the row and the opening of its body, the body moves.
      const rows = box.rows;
      box.rows = [{ ...moved, place: { ...moved.place, body: 999 as typeof moved.place.body } }];
      const reader = read(uid);
      await new Promise<void>((located) => reader.next(located));
      box.rows = rows;
      const { pieces, end } = await pull(reader);
      assert.deepEqual(Buffer.concat(pieces), body);
      assert.equal(end, "end");
      assert.deepEqual(told, []);
    }
  });

  test("a disk that does not answer is a failure, not damage; a store that says damage is believed", async () => {
    for (const how of ["now", "later"] as const) {
      const { store, inbox, read, told, given } = house(how);
      const uid = store.deliver(inbox, randomBytes(100));
      store.disk.failure = new StoreError("unavailable", "EIO");
      assert.deepEqual(await pull(read(uid)), { pieces: [], end: "failed" });
      store.disk.failure = new StoreError("damaged", "its head is wrong");
      assert.deepEqual(await pull(read(uid)), { pieces: [], end: "damaged" });
      assert.deepEqual(told, ["failed: EIO", "damaged: its head is wrong"]);
      assert.equal(given.out + store.openFiles, 0);
    }
  });
});

test("after a slow read the disk is read beside the loop for a moment, which doubles up to a second", async () => {
  const { store, inbox, time } = house();
  const pace = new DiskPace(() => time.now);
  const parts = { bodies: store.bodies, pool: createReadPool(), pace };
  const uid = store.deliver(inbox, Buffer.from("mail\r\n"));
  const read = () =>
    pull(
      openReader(parts, { uid, places: new Places(store.mail, inbox), octets: 6, octetsAs: "stored", watch: nothing }),
    );
  const waits: number[] = [];
  for (let slow = 0; slow < 10; slow++) {
    slowRead(pace, time);
    const from = time.now;
    while (!pace.isQuick()) time.now += 5;
    waits.push(time.now - from);
  }
  assert.deepEqual(waits, [5, 10, 20, 40, 80, 160, 320, 640, 1000, 1000]);
  await read();
  slowRead(pace, time);
  await read();
  time.now += 4;
  await read();
  time.now += 1;
  await read();
  assert.deepEqual(store.reads, ["now", "later", "later", "now"], "a quick one makes it calm again");
});

test("P6: when many do not read on, a session has a small buffer; large ones come back", async () => {
  const pool = createReadPool();
  const held = Array.from({ length: 200 }, () => pool.take(LARGE_OCTETS));
  assert.equal(held.filter((buffer) => capacityOf(buffer) === LARGE_OCTETS).length, LARGE_AT_A_TIME);
  assert.equal(capacityOf(held.at(-1) ?? assert.fail()), SMALL_OCTETS);
  const { store, inbox } = house();
  const body = randomBytes(100_000);
  const uid = store.deliver(inbox, body);
  const parts = { bodies: store.bodies, pool, pace: new DiskPace(() => 0) };
  const places = new Places(store.mail, inbox);
  const { pieces, end } = await pull(openReader(parts, { uid, places, octets: 0, octetsAs: "stored", watch: nothing }));
  assert.equal(end, "end");
  assert.equal(pieces.length, 4);
  assert.deepEqual(Buffer.concat(pieces), body);
  for (const buffer of held) pool.give(buffer);
  assert.equal(capacityOf(pool.take(LARGE_OCTETS)), LARGE_OCTETS);
  assert.equal(capacityOf(pool.take(10)), SMALL_OCTETS);
});

function slowRead(pace: DiskPace, time: { now: number }): void {
  const started = pace.now();
  time.now += 6;
  pace.note(started);
}

function flip(octets: Buffer | undefined, at: number): void {
  assert.ok(octets);
  octets[at] = (octets[at] ?? 0) ^ 1;
}
