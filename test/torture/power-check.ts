import { AssertionError } from "node:assert";
import { silentLog, testMetrics } from "../../src/observe/testing.ts";
import type { Account } from "../../src/model/account.ts";
import { parseAddress } from "../../src/model/address.ts";
import type { Uid } from "../../src/model/ids.ts";
import { type OpenStore, openStore } from "../../src/store/open.ts";
import { StoreError } from "../../src/store/ports.ts";
import { assertConsistent } from "../contracts/store-consistency.ts";
import { content, deliver, must, uidls, uids } from "../contracts/store-world.ts";
import { addressOf } from "../e2e/harness/installation.ts";
import type { Found } from "./ledger.ts";
import { identify } from "./load.ts";
import { BOXES } from "./power-load.ts";
import type { Timeline, Wrong } from "./timeline.ts";

const metrics = testMetrics().metrics;

/**
 * Opens what a cut left with the store's own code and says what is wrong with it: with what was acknowledged before, with its
 * rows, and with a delivery and a removal that come after.
 */
export async function checkRemains(folder: string, timeline: Timeline, cut: number): Promise<Wrong[]> {
  try {
    const wrong = await checkOpened(folder, timeline, cut);
    assertConsistent(folder);
    return wrong;
  } catch (cause) {
    return [{ kind: "other", text: cause instanceof Error ? `${cause.message}\n${cause.stack}` : String(cause) }];
  }
}

async function checkOpened(folder: string, timeline: Timeline, cut: number): Promise<Wrong[]> {
  let added: { readonly account: Account; readonly uid: Uid; readonly removed: number | undefined } | undefined;
  {
    const opened = await openStore({ folder, log: silentLog, metrics });
    if (!opened.ok)
      return [{ kind: "lost", text: `the store does not open: ${opened.error.kind}: ${opened.error.reason}` }];
    await using store = opened.value;
    assertConsistent(folder);
    const accounts = await accountsOf(store);
    if (accounts.length < BOXES.length && timeline.isOpenAt(cut))
      return [{ kind: "lost", text: "accounts that had been made are gone" }];
    const found = new Map<string, readonly Found[]>();
    const unreadable: Wrong[] = [];
    for (const [index, account] of accounts.entries())
      found.set(BOXES[index] ?? "", await messagesOf(store, account, unreadable));
    const wrong = [...unreadable, ...timeline.judge(cut, found)];
    if (wrong.length > 0) return wrong;
    added = await work(store, accounts[0]);
  }
  if (added !== undefined) await checkWork(folder, added);
  return [];
}

async function accountsOf(store: OpenStore): Promise<Account[]> {
  const accounts: Account[] = [];
  for (const box of BOXES) {
    const account = await store.directory.account(must(parseAddress(addressOf(box))));
    if (account !== undefined) accounts.push(account);
  }
  return accounts;
}

/** All messages of a maildrop, read and compared with their digests; those whose body is not whole go to `unreadable`. */
async function messagesOf(store: OpenStore, { inbox }: Account, unreadable: Wrong[]): Promise<Found[]> {
  const names = await uidls(store, inbox, 1000);
  const messages: Found[] = [];
  for (const [index, uid] of (await uids(store, inbox)).entries()) {
    try {
      messages.push({ ...identify(await content(store, inbox, uid as Uid)), uidl: names[index] ?? "" });
    } catch (cause) {
      if (!(cause instanceof AssertionError || cause instanceof StoreError)) throw cause;
      unreadable.push({ kind: "lost", text: `message ${uid} has no whole body: ${cause.message}` });
    }
  }
  return messages;
}

/** Delivers one message, and removes the first. */
async function work(store: OpenStore, account: Account | undefined) {
  if (account === undefined) return undefined;
  const [removed] = await uids(store, account.inbox);
  const uid = await deliver(store, account, "after the cut\r\n");
  const cause = { session: "cut", device: "", peer: "", kind: "removed", keep: true } as const;
  if (removed !== undefined) must(await store.mail.expunge(account.inbox, Uint32Array.of(removed), cause));
  return { account, uid, removed };
}

async function checkWork(folder: string, done: NonNullable<Awaited<ReturnType<typeof work>>>): Promise<void> {
  await using store = must(await openStore({ folder, log: silentLog, metrics }));
  const { account, uid, removed } = done;
  const text = (await content(store, account.inbox, uid)).toString();
  if (text !== "after the cut\r\n") throw new Error("what was delivered after the cut has other octets");
  if (removed !== undefined && (await uids(store, account.inbox)).includes(removed))
    throw new Error("what was removed after the cut is back");
}
