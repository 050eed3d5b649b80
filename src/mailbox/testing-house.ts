import assert from "node:assert/strict";
import { systemClock } from "../lib/clock.ts";
import type { Account } from "../model/account.ts";
import type { Address } from "../model/address.ts";
import type { Transfer } from "../model/history.ts";
import { recordingLog, testMetrics } from "../observe/testing.ts";
import type { Store } from "../store/ports.ts";
import { createMailboxes, type MailboxesOptions, type OpenMaildrop, type Owner } from "./open.ts";
import { MemoryStore } from "./testing.ts";

/** How the sessions of tests open. */
export const opening = { peer: { address: "192.0.2.7" }, session: "s1", utf8: true };

/** The mailbox room over a store in memory, with one account and what it told. */
export function house() {
  const store = new MemoryStore();
  const ann = store.addAccount("ann@example.test" as Address);
  const { log, events } = recordingLog();
  const { metrics, sample } = testMetrics();
  const parts = {
    directory: store.directory as Store["directory"],
    mail: store.mail as Store["mail"],
    bodies: store.bodies as MailboxesOptions["store"]["bodies"],
    leases: store.leases,
  };
  const transfers: Transfer[] = [];
  const figures = { takeoverSeconds: 60, undeleteDays: 14 };
  const clock = { ...systemClock, now: () => 1_000_000 };
  const over = (rooms: MailboxesOptions["store"]) =>
    createMailboxes({
      store: rooms,
      clock,
      log,
      metrics,
      history: { add: (transfer) => transfers.push(transfer) },
      takeoverSeconds: () => figures.takeoverSeconds,
      undeleteDays: () => figures.undeleteDays,
    });
  const mailboxes = over(parts);
  const lost: string[] = [];
  const owner = (account: Account, mailbox = account.inbox): Owner => ({
    account: account.id,
    address: account.address,
    mailbox,
    device: { name: "phone", mark: 7 },
    loginDelaySeconds: 0,
  });
  const open = async (utf8 = true): Promise<OpenMaildrop> => {
    const opened = await mailboxes.openMaildrop(owner(ann), { ...opening, utf8 }, () => lost.push("lost"));
    assert.ok(opened.ok);
    return opened.value;
  };
  return { store, parts, over, ann, owner, mailboxes, open, lost, events, sample, transfers, figures };
}
