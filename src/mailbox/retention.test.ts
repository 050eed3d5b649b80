import assert from "node:assert/strict";
import { test } from "node:test";
import { err } from "../lib/result.ts";
import type { Address } from "../model/address.ts";
import { type HistoryEntry, NO_ACTOR } from "../model/history.ts";
import type { MailboxId } from "../model/ids.ts";
import { recordingLog, testMetrics } from "../observe/testing.ts";
import type { Store } from "../store/ports.ts";
import { expireOld } from "./retention.ts";
import { MemoryStore } from "./testing.ts";

const DAY = 86_400_000;
const NOW = 1000 * DAY;

function house() {
  const store = new MemoryStore();
  const { log, events } = recordingLog();
  const { metrics, sample } = testMetrics();
  const figures = { expireDays: 30, undeleteDays: 14 };
  const told: HistoryEntry[] = [];
  const parts = {
    store: {
      directory: store.directory as Store["directory"],
      mail: store.mail as Store["mail"],
      leases: store.leases,
      history: { entries: async () => told } as unknown as Store["history"],
    },
    clock: { now: () => NOW, monotonic: () => 0 },
    log,
    metrics,
    expireDays: () => figures.expireDays,
    undeleteDays: () => figures.undeleteDays,
  };
  const stopping = new AbortController();
  const turn = () => expireOld(parts, stopping.signal);
  const account = (name: string, expireDays: number | null = null) => {
    const made = { ...store.addAccount(`${name}@example.test` as Address), expireDays };
    store.accounts.set(made.address, made);
    for (const days of [100, 31, 30, 29]) {
      for (const mailbox of [made.inbox, made.junk]) {
        store.deliver(mailbox, Buffer.from(`${days}`), { received: NOW - days * DAY });
      }
    }
    return made;
  };
  const uids = (mailbox: MailboxId) => store.boxes.get(mailbox)?.rows.map(({ uid }) => uid);
  return { store, parts, figures, told, turn, account, uids, events, sample, stopping };
}

test("each account's mail goes by its own figure, else the configured one, INBOX and Junk", async () => {
  const { store, turn, account, uids, events, sample } = house();
  const [ann, bob, eve] = [account("ann"), account("bob", 50), account("eve", 0)];
  await turn();
  assert.deepEqual(
    [ann, bob, eve].map(({ inbox, junk }) => [uids(inbox), uids(junk)]),
    [
      [
        [3, 4],
        [3, 4],
      ],
      [
        [2, 3, 4],
        [2, 3, 4],
      ],
      [
        [1, 2, 3, 4],
        [1, 2, 3, 4],
      ],
    ],
  );
  const kept = store.boxes.get(ann.inbox)?.removed.map(({ cause }) => cause);
  assert.deepEqual(kept?.[0], { session: "", device: "", peer: "", kind: "expired", keep: true });
  assert.deepEqual(
    events.map(({ event, fields }) => ({ event, fields })),
    [
      { event: "mail.expired", fields: { account: ann.address, messages: 4 } },
      { event: "mail.expired", fields: { account: bob.address, messages: 2 } },
    ],
  );
  assert.equal(sample("mailkeep_expired_messages_total"), 6);
  await turn();
  assert.equal(events.length, 2, "nothing more");
});

test("a configured 0 keeps all, and what is configured now is what holds", async () => {
  const { store, figures, turn, account, uids } = house();
  const ann = account("ann");
  figures.expireDays = 0;
  await turn();
  assert.equal(uids(ann.inbox)?.length, 4);
  figures.expireDays = 30;
  figures.undeleteDays = 0;
  await turn();
  assert.equal(uids(ann.inbox)?.length, 2);
  assert.deepEqual(store.boxes.get(ann.inbox)?.removed, []);
});

test("a maildrop in session is skipped until the next turn; its delay is not touched, nor its lease kept", async () => {
  const { store, turn, account, uids } = house();
  const ann = account("ann");
  const lost = (): void => assert.fail("a session never sees its messages go");
  const session = await store.leases.acquire(ann.inbox, { waitMs: 0, takeOver: { mark: 7, afterSeconds: 0 } }, lost);
  assert.ok(session.ok);
  await turn();
  assert.deepEqual([uids(ann.inbox)?.length, uids(ann.junk)?.length], [4, 2]);
  assert.equal(session.value.held(), true);
  session.value.release();
  await turn();
  assert.equal(uids(ann.inbox)?.length, 2);
  assert.equal(store.leases.held(ann.inbox) || store.leases.held(ann.junk), false);
  assert.equal(store.leases.secondsSinceOpened(ann.junk), Number.POSITIVE_INFINITY);
});

test("thousands of accounts and messages go page by page", async () => {
  const { store, turn, account, uids } = house();
  for (let n = 0; n < 1100; n += 1) store.addAccount(`n${n}@example.test` as Address);
  const last = account("zoe");
  const ann = store.addAccount("ann@example.test" as Address);
  const rows = store.boxes.get(ann.inbox) ?? assert.fail();
  store.deliver(ann.inbox, Buffer.from("x"));
  const [row] = rows.rows;
  assert.ok(row);
  rows.rows = Array.from({ length: 10_001 }, (_, index) => ({ ...row, uid: (index + 1) as typeof row.uid }));
  const { expunge } = store.mail;
  const sizes: number[] = [];
  store.mail.expunge = (mailbox, gone, cause) => {
    sizes.push(gone.length);
    return expunge(mailbox, gone, cause);
  };
  await turn();
  assert.deepEqual(uids(ann.inbox), []);
  assert.equal(uids(last.inbox)?.length, 2, "the last page too");
  assert.deepEqual(sizes, [10_000, 1, 2, 2]);
});

test("a store that fails ends the turn with its reason, with no lease kept; stopping ends it in good order", async () => {
  const { store, turn, account, stopping } = house();
  const ann = account("ann");
  const { expunge } = store.mail;
  store.mail.expunge = () => Promise.resolve(err("full")) as never;
  await assert.rejects(turn(), /expiring: full/);
  assert.equal(store.leases.held(ann.inbox), false);
  store.mail.expunge = expunge;
  stopping.abort();
  await turn();
  assert.equal(store.boxes.get(ann.inbox)?.rows.length, 4);
});

test("mail that was brought back is kept for as long as if it had come then", async () => {
  const { turn, account, uids, told } = house();
  const ann = account("ann");
  const restored = { ...NO_ACTOR, kind: "restored", uids: [0], messages: 1, octets: null } as const;
  told.push(
    { ...restored, id: 2, at: NOW - 29 * DAY, newUids: [2] },
    { ...restored, id: 1, at: NOW - 31 * DAY, newUids: [1] },
  );
  await turn();
  assert.deepEqual(uids(ann.inbox), [2, 3, 4]);
});
