import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, test } from "node:test";
import type { Address } from "../model/address.ts";
import { type MessageReader, PIECE_ROOM } from "../model/message-reader.ts";
import type { Uid } from "../model/ids.ts";
import type { OctetsAs } from "../store/ports.ts";
import { DiskPace } from "./disk-pace.ts";
import { createDowngrader } from "./downgrade/downgrade.ts";
import { Places } from "./places.ts";
import { createReadPool, LARGE_AT_A_TIME, LARGE_OCTETS, SMALL_OCTETS } from "./read-pool.ts";
import { openReader } from "./read.ts";
import { MemoryStore, nextPiece } from "./testing.ts";

/* Messages on their way to a client without UTF8 (RFC 6856 §2): converted while they leave, and judged as stored. */

function house(mostLarge = Number.POSITIVE_INFINITY) {
  const store = new MemoryStore();
  const { inbox } = store.addAccount("ann@example.test" as Address);
  const pool = createReadPool();
  for (let taken = LARGE_AT_A_TIME; taken > mostLarge; taken -= 1) pool.take(LARGE_OCTETS);
  const told: string[] = [];
  const parts = { bodies: store.bodies, pool, pace: new DiskPace(() => 0) };
  const read = (uid: Uid, octetsAs: OctetsAs = "downgraded"): MessageReader =>
    openReader(parts, {
      uid,
      places: new Places(store.mail, inbox),
      octets: 0,
      octetsAs,
      watch: { damaged: (_, why) => told.push(`damaged: ${why}`), failed: (_, why) => told.push(`failed: ${why}`) },
    });
  const deliver = (body: Buffer, octetsDowngraded = converted(body).length): Uid =>
    store.deliver(inbox, body, { octetsDowngraded });
  return { store, told, read, deliver };
}

function converted(body: Buffer): Buffer {
  const codec = createDowngrader();
  return Buffer.concat([codec.push(body), codec.end()]);
}

/** Pulls as the sender does, who writes into the room around each piece and over the piece itself. */
async function pull(reader: MessageReader): Promise<{ octets: Buffer; pieces: number[]; end: string }> {
  const all: Buffer[] = [];
  for (;;) {
    const piece = await nextPiece(reader);
    if (typeof piece === "string") {
      reader.close();
      return { octets: Buffer.concat(all), pieces: all.map(({ length }) => length), end: piece };
    }
    all.push(Buffer.from(piece));
    const { before, behind } = PIECE_ROOM;
    Buffer.from(piece.buffer, piece.byteOffset - before, before + piece.length + behind).fill("!");
  }
}

/** A message whose header fields and parts' fields hold UTF-8, with so many octets of body. */
function letter(octets: number, fields = 3): Buffer {
  const many = Array.from({ length: fields }, (_, n) => `X-Field-${n}: ${"grüße ".repeat(12)}\r\n`).join("");
  const head = `Subject: 你好\r\n${many}Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Description: ä\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), randomBytes(octets), Buffer.from("\r\n--b--\r\n")]);
}

describe("a message that is down-converted", () => {
  for (const [octets, fields, pieces] of [
    [100, 3, 1],
    [LARGE_OCTETS - 2000, 3, 1],
    [LARGE_OCTETS * 2, 3, 4],
    // Grows beyond what its buffer takes.
    [200_000, 500, 2],
  ] as const) {
    test(`of ${octets} octets and ${fields} fields comes in pieces with room around`, async () => {
      const { read, deliver } = house();
      const body = letter(octets, fields);
      const reader = read(deliver(body));
      const got = await pull(reader);
      assert.equal(got.end, "end");
      assert.ok(got.octets.equals(converted(body)));
      assert.equal(got.pieces.length, pieces);
      assert.ok(got.octets.length > body.length);
      assert.deepEqual([reader.octets, reader.dotted], [got.octets.length, true]);
    });
  }

  test("comes through a small buffer where the large ones are all out", async () => {
    const { read, deliver } = house(0);
    const body = letter(100_000, 1000);
    const { octets, pieces, end } = await pull(read(deliver(body)));
    assert.equal(end, "end");
    assert.ok(octets.equals(converted(body)));
    assert.ok(pieces.every((length) => length <= SMALL_OCTETS));
  });

  test("is as stored for a client with UTF8, and where nothing has to be converted", async () => {
    const { read, deliver } = house();
    const body = letter(50);
    assert.ok((await pull(read(deliver(body), "stored"))).octets.equals(body));
    const plain = Buffer.from("Subject: x\r\n\r\n8 bits: ä\r\n");
    const reader = read(deliver(plain));
    assert.ok((await pull(reader)).octets.equals(plain));
    assert.equal(reader.dotted, false);
  });

  test("that is closed early gives back what it holds", async () => {
    const { store, read, deliver } = house();
    const reader = read(deliver(letter(LARGE_OCTETS * 2)));
    await nextPiece(reader);
    reader.close();
    assert.equal(store.openFiles, 0);
  });
});

describe("damage to it is never sent as good mail", () => {
  test("a flipped bit in a small one: nothing of it leaves, for its checksum is judged first", async () => {
    const { store, read, deliver, told } = house();
    const uid = deliver(letter(5000));
    flip([...store.octets.values()][0], 4000);
    assert.deepEqual((await pull(read(uid))).pieces, []);
    assert.deepEqual(told, ["damaged: its checksum is wrong"]);
  });

  test("a flipped bit in a large one: its last piece does not leave", async () => {
    const { store, read, deliver, told } = house();
    const body = letter(LARGE_OCTETS + 5);
    const uid = deliver(body);
    flip([...store.octets.values()][0], 4000);
    const { octets, end } = await pull(read(uid));
    assert.equal(end, "damaged");
    assert.ok(octets.length < converted(body).length);
    assert.deepEqual(told, ["damaged: its checksum is wrong"]);
  });

  test("other octets than were reckoned: the whole never seems to be there", async () => {
    for (const size of [50, LARGE_OCTETS * 2]) {
      const body = letter(size);
      const right = converted(body).length;
      // Also what is just the first piece of a large one.
      for (const wrong of [1, LARGE_OCTETS, right - 1, right + 1]) {
        const { read, deliver, told } = house();
        const { octets, end } = await pull(read(deliver(body, wrong)));
        assert.equal(end, "damaged");
        assert.ok(octets.length < wrong, `${octets.length} of ${wrong}`);
        assert.deepEqual(told, ["damaged: it converts to other octets than were reckoned"]);
      }
    }
    const { read, deliver, told } = house();
    assert.equal((await pull(read(deliver(Buffer.alloc(0), 3)))).end, "damaged");
    assert.deepEqual(told, ["damaged: it cannot be empty"]);
  });
});

function flip(octets: Buffer | undefined, at: number): void {
  assert.ok(octets);
  octets[at] = (octets[at] ?? 0) ^ 1;
}
