import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { err, ok } from "../lib/result.ts";
import type { Account } from "../model/account.ts";
import type { Address } from "../model/address.ts";
import { house } from "./testing-house.ts";

describe("the way in", () => {
  test("one message for several: each has its own outcome, and quotas count INBOX and Junk together", async () => {
    const { store, ann, mailboxes } = house();
    const bob = store.addAccount("bob@example.test" as Address);
    store.deliver(ann.junk, Buffer.alloc(60));
    const text = Buffer.from("hello\r\n");
    const buffer = new ArrayBuffer(64 + text.length);
    new Uint8Array(buffer).set(text, 64);
    const body = {
      kind: "memory",
      buffer,
      start: 64,
      octets: text.length,
      crc32: 0,
      sha256: new Uint8Array(32),
      dotted: false,
    } as const;
    const to = ({ id, inbox }: Account, octets: number | null) => ({
      account: id,
      mailbox: inbox,
      quota: octets === null ? null : { octets, messages: 10 },
    });
    const gone = { ...to(bob, null), mailbox: 999 as typeof bob.inbox };
    const appended = await mailboxes.append({
      body,
      received: 0,
      octetsDowngraded: text.length,
      recipients: [to(ann, 64), to(bob, 64), gone],
    });
    assert.deepEqual(appended, ok([err("over-quota"), ok(1), err("no-mailbox")]));
    assert.deepEqual(await mailboxes.usage(bob.id), { messages: 1, octets: 7 });
  });

  test("room is asked for by the account's own figures, else the defaults", async () => {
    const { store, ann, mailboxes } = house();
    store.deliver(ann.inbox, Buffer.alloc(60));
    const defaults = { octets: 100, messages: 2 };
    assert.equal(await mailboxes.hasRoom(ann, 40, defaults), true);
    assert.equal(await mailboxes.hasRoom(ann, 41, defaults), false);
    assert.equal(await mailboxes.hasRoom({ ...ann, quota: { octets: 50, messages: null } }, 0, defaults), false);
    assert.equal(await mailboxes.hasRoom({ ...ann, quota: { octets: null, messages: 1 } }, 0, defaults), false);
  });
});
