import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { err, ok } from "../lib/result.ts";
import type { AccountId, MailboxId, Uid } from "../model/ids.ts";
import { createDowngrader } from "../mailbox/downgrade/downgrade.ts";
import { type Spool, StoreError } from "../store/ports.ts";
import { MEMORY_OCTETS } from "./content.ts";
import { type House, openHouse, recipientOf } from "./testing-house.ts";

const TRACE = [
  "Return-Path: <x@b.example>",
  "Received: from client ([192.0.2.7])",
  "\tby mail.example.test with ESMTP",
  "\tid 0a",
  "\tfor <a@example.test>;",
  "\tThu, 01 Jan 1970 00:00:01 +0000",
  "",
].join("\r\n");

describe("a message in memory", () => {
  const cases: readonly (readonly [string, string, string])[] = [
    ["a header and a body", "Subject: x\r\n\r\nhello\r\n", "Subject: x\r\n\r\nhello\r\n"],
    ["an empty message", "", ""],
    ["a missing last CRLF is added", "Subject: x\r\n\r\nhello", "Subject: x\r\n\r\nhello\r\n"],
    ["a single octet", "x", "\r\nx\r\n"],
    ["text without a header gets a blank line before it", "hello\r\nworld\r\n", "\r\nhello\r\nworld\r\n"],
    ["a body without a header", "\r\nhello\r\n", "\r\nhello\r\n"],
    ["a line of mbox", "From x\r\nSubject: y\r\n\r\n", "\r\nFrom x\r\nSubject: y\r\n\r\n"],
    ["NUL and 8-bit octets", "S: \0\u00ff\r\n\r\n", "S: \0\u00ff\r\n\r\n"],
  ];
  for (const [name, content, stored] of cases) {
    for (const cut of [1, 7, 100_000]) {
      test(`${name}, in pieces of ${cut}`, async () => {
        await using house = await openHouse();
        assert.deepEqual(await house.deliver(Buffer.from(content, "latin1"), cut), ["stored"]);
        assert.equal((await house.stored(0)).toString("latin1"), TRACE + stored);
        assert.equal(house.budget.taken, 0);
      });
    }
  }

  test("any length up to the limit, announced or not, stays in memory whole", async () => {
    await using house = await openHouse();
    for (const octets of [16_383, 16_384, 16_385, 100_000, MEMORY_OCTETS - 1, MEMORY_OCTETS]) {
      for (const announced of [0, octets, 10 * MEMORY_OCTETS]) {
        const content = message(octets);
        assert.deepEqual(await house.deliver(content, 5000, announced), ["stored"]);
        const { body } = house.deliveries.at(-1) ?? assert.fail();
        assert.equal(body.kind, "memory");
        assert.equal(
          Buffer.compare(await house.stored(house.deliveries.length - 1), Buffer.concat([Buffer.from(TRACE), content])),
          0,
        );
      }
    }
  });

  test("the CRLF that is added needs no room of its own", async () => {
    await using house = await openHouse();
    for (const octets of [16_384, MEMORY_OCTETS]) {
      const content = message(octets + 2);
      assert.deepEqual(await house.deliver(content.subarray(0, octets), 5000), ["stored"]);
      const stored = await house.stored(house.deliveries.length - 1);
      assert.equal(Buffer.compare(stored, Buffer.concat([Buffer.from(TRACE), content])), 0);
      assert.equal(house.deliveries.at(-1)?.body.kind, "memory");
    }
  });

  test("what append is given: digests, time, one row for each mailbox, the quota only where it is asked again", async () => {
    await using house = await openHouse();
    const recipients = [
      recipientOf("a@example.test", 1),
      recipientOf("A+x@example.test", 1),
      recipientOf("b@example.test", 2),
    ];
    house.appended = [ok(7 as Uid), err("over-quota")];
    const outcomes = await house.deliver(Buffer.from("S: x\r\n\r\n.\r\n"), 100, 0, recipients, true);
    assert.deepEqual(outcomes, ["stored", "stored", "over-quota"]);
    const { body, ...delivery } = house.deliveries[0] ?? assert.fail();
    assert.deepEqual(delivery, {
      received: 1000,
      octetsDowngraded: body.octets,
      recipients: [
        { account: 1, mailbox: 1, quota: { octets: 10, messages: 1 } },
        { account: 2, mailbox: 2, quota: { octets: 10, messages: 1 } },
      ],
    });
    await house.deliver(Buffer.from("S: x\r\n"), 100);
    assert.equal(house.deliveries[1]?.recipients[0]?.quota, null);
  });

  test("what a filter marked goes to Junk, once for each account", async () => {
    await using house = await openHouse();
    house.junkHeader = { name: "X-Spam-Flag", value: "YES" };
    const recipients = [
      { ...recipientOf("a@example.test", 1), junk: 11 as MailboxId },
      { ...recipientOf("a+junk@example.test", 11), account: 1 as AccountId, junk: 11 as MailboxId },
      { ...recipientOf("b@example.test", 2), junk: 12 as MailboxId },
    ];
    const mailboxes = async (content: string): Promise<readonly number[]> => {
      assert.deepEqual(await house.deliver(Buffer.from(content), 7, 0, recipients), ["stored", "stored", "stored"]);
      return house.deliveries.at(-1)?.recipients.map(({ mailbox }) => mailbox) ?? [];
    };
    assert.deepEqual(await mailboxes("Subject: x\r\nX-Spam-Flag: yes\r\n\r\nhello\r\n"), [11, 12]);
    assert.deepEqual(await mailboxes("Subject: x\r\nX-Spam-Flag: no\r\n\r\nX-Spam-Flag: YES\r\n"), [1, 11, 2]);
    house.junkHeader = undefined;
    assert.deepEqual(await mailboxes("X-Spam-Flag: YES\r\n\r\n"), [1, 11, 2]);
  });

  test("RFC 6856 §2: the octets for a client without UTF8 are those that the converter gives", async () => {
    await using house = await openHouse();
    const header = "Subject: é\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nX-Y: ü\r\n\r\nüü\r\n";
    const filler = `${"x".repeat(78)}\r\n`.repeat(4000);
    for (const content of [
      header,
      "Subject: plain\r\n\r\nbödy\r\n",
      "nothing but tëxt\r\nSubject: é\r\n",
      header + filler,
      `${header}${filler}--b\r\nX-Late: é\r\n\r\n--b--`,
      `Content-Type: multipart/mixed; boundary=b\r\n\r\n${filler}--b\r\nX-Late: é`,
    ]) {
      for (const cut of [11, 65_536]) {
        await house.deliver(Buffer.from(content), cut);
        await assertReckoned(house);
      }
    }
  });

  test("what the trace headers say in UTF-8 changes nothing in how many fields of the content are converted", async () => {
    await using house = await openHouse();
    // More than is converted of one message.
    const fields = Array.from({ length: 6500 }, (_, n) => `X-${n}: ${"ü".repeat(35)}\r\n`).join("");
    for (const sender of ["x@b.example", "grüße@b.example"]) {
      house.envelope = { protocol: "UTF8SMTP", sender };
      await house.deliver(Buffer.from(fields), 65_536);
      await assertReckoned(house);
    }
  });

  test("RFC 5321 §6.3: more than 100 Received fields are a loop, and nothing is stored", async () => {
    await using house = await openHouse();
    const content = (count: number): Buffer => Buffer.from(`${"Received: x\r\n".repeat(count)}\r\nReceived: body\r\n`);
    assert.deepEqual(await house.deliver(content(100), 1000), ["stored"]);
    assert.deepEqual(await house.deliver(content(101), 1000), ["loop"]);
    assert.equal(house.deliveries.length, 1);
  });

  test("a store that did not write says so, for every recipient", async () => {
    await using house = await openHouse();
    house.failure = "full";
    const recipients = [recipientOf("a@example.test", 1), recipientOf("b@example.test", 2)];
    assert.deepEqual(await house.deliver(Buffer.from("S: x\r\n"), 100, 0, recipients), ["full", "full"]);
    assert.equal(house.budget.taken, 0);
  });
});

describe("a message on disk", () => {
  test("is what came, with the trace in front, whatever its size and cut", async () => {
    await using house = await openHouse();
    for (const [octets, cut] of [
      [MEMORY_OCTETS + 3, 1000],
      [1_000_000, 65_536],
      [700_001, 333_333],
    ] as const) {
      const content = message(octets);
      assert.deepEqual(await house.deliver(content.subarray(0, -2), cut), ["stored"]);
      assert.equal(
        Buffer.compare(await house.stored(house.deliveries.length - 1), Buffer.concat([Buffer.from(TRACE), content])),
        0,
      );
      assert.equal(house.deliveries.at(-1)?.body.kind, "file");
      assert.equal(house.budget.taken, 0);
    }
  });

  test("a content that is dropped leaves no file", async () => {
    await using house = await openHouse();
    const sink = house.open(0);
    sink.write(message(1_000_000));
    sink.discard();
    sink.discard();
    await until(async () => (await house.spools()).length === 0);
    assert.equal(house.budget.taken, 0);
  });

  test("what append refused leaves no file", async () => {
    await using house = await openHouse();
    house.failure = "failed";
    assert.deepEqual(await house.deliver(message(500_000), 65_536), ["failed"]);
    await until(async () => (await house.spools()).length === 0);
  });

  test("a disk that is behind makes the client wait", async () => {
    await using house = await openHouse();
    const disk = Promise.withResolvers<void>();
    house.spool = async () => ({ ...(await ghostSpool()), write: () => disk.promise });
    const ready = Promise.withResolvers<void>();
    const sink = house.open(0, ready.resolve);
    const piece = new Uint8Array(65_536).fill(0x78);
    let taken = 0;
    while (sink.write(piece)) taken += piece.length;
    assert.ok(taken < 3 * MEMORY_OCTETS, String(taken));
    disk.resolve();
    await ready.promise;
    assert.equal(sink.write(piece), true);
    sink.discard();
  });

  test("a disk that is full or broken: the client waits for nothing, and is told at the end", async () => {
    await using house = await openHouse();
    for (const [full, outcome] of [
      [true, "full"],
      [false, "failed"],
    ] as const) {
      const fault = (): Promise<never> => Promise.reject(new StoreError("unavailable", "no", { full }));
      const faults: readonly (() => Promise<Spool>)[] = [
        fault,
        async () => ({ ...(await ghostSpool()), write: fault }),
        async () => ({ ...(await ghostSpool()), finish: fault }),
        async () => ({ ...(await ghostSpool()), write: fault, discard: fault }),
      ];
      for (const spool of faults) {
        house.spool = spool;
        assert.deepEqual(await house.deliver(message(2_000_000), 65_536), [outcome]);
        assert.equal(house.deliveries.length, 0);
        assert.equal(house.budget.taken, 0);
      }
    }
  });
});

describe("the memory of all contents together", () => {
  test("P6: past the budget a content is not opened, and one that grows goes to disk early", async () => {
    await using house = await openHouse(100_000);
    const sinks = [house.open(0)];
    const grown = sinks[0] ?? assert.fail();
    grown.write(new Uint8Array(70_000).fill(0x78));
    assert.equal(house.budget.taken, 70_000);
    sinks.push(house.open(0));
    assert.equal(house.tryOpen(), undefined);
    grown.write(new Uint8Array(30_000).fill(0x78));
    assert.ok(house.budget.taken <= 100_000);
    await until(async () => (await house.spools()).length === 1);
    for (const sink of sinks) sink.discard();
    assert.equal(house.budget.taken, 0);
    await until(async () => (await house.spools()).length === 0);
  });

  test("what grows leaves room for others to begin in", async () => {
    await using house = await openHouse(100_000);
    const sinks = Array.from({ length: 4 }, () => house.open(0));
    for (const sink of sinks) sink.write(new Uint8Array(60_000).fill(0x78));
    assert.ok(house.budget.taken <= 75_000);
    await until(async () => (await house.spools()).length === 4);
    sinks.push(house.open(0));
    for (const sink of sinks) sink.discard();
    await until(async () => (await house.spools()).length === 0);
  });

  test("an announcement alone reserves next to nothing", async () => {
    await using house = await openHouse();
    const sink = house.open(50 * 1024 * 1024);
    assert.equal(house.budget.taken, 16 * 1024);
    sink.discard();
  });
});

async function assertReckoned(house: House): Promise<void> {
  const downgrader = createDowngrader();
  const sent = downgrader.push(await house.stored(house.deliveries.length - 1)).length + downgrader.end().length;
  assert.equal(house.deliveries.at(-1)?.octetsDowngraded, sent);
}

async function ghostSpool(): Promise<Spool> {
  return {
    octets: 0,
    write: () => Promise.resolve(),
    finish: () => Promise.reject(new Error("not reached")),
    discard: () => Promise.resolve(),
  };
}

/** A message of exactly so many octets, lines of 80, the last CRLF in it. */
function message(octets: number): Buffer {
  const lines = Buffer.alloc(octets, `Subject: ${"x".repeat(69)}\r\n`);
  lines.write("\r\n", octets - 2);
  for (let at = 78; at < octets - 2; at += 80) if (at + 1 >= octets - 2) lines.fill("x", at, octets - 2);
  return lines;
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await turn();
}
