import type { Devices, Directory, History, Mail, Upkeep } from "./ports.ts";
import type { Scrubbing } from "./scrub/ports.ts";
import { findAccount, pageOfAccounts } from "./sql/accounts.ts";
import { findAppPasswords } from "./sql/app-passwords.ts";
import { hasDomain, listDomains } from "./sql/domains.ts";
import { findKnownPlaces } from "./sql/known-places.ts";
import { lastTime } from "./sql/high-water.ts";
import { removedUsageOf, snapshotOf, usageOf } from "./sql/mailboxes.ts";
import { locateMessages, pageOfMessages } from "./sql/messages.ts";
import { inspectRows } from "./sql/damaged-rows.ts";
import { findHistory } from "./sql/read-history.ts";
import { uidsReceivedBefore } from "./sql/received-before.ts";
import { pageOfRemoved } from "./sql/removed.ts";
import { findScrubs } from "./sql/scrubs.ts";
import type { Sql } from "./sql/statement.ts";
import { summaryOf } from "./sql/summary.ts";

/** What only reads, answered by a connection of the thread's own. */
export type Reads = {
  readonly directory: Pick<Directory, "domains" | "hasDomain" | "account" | "accounts" | "summary">;
  readonly devices: Pick<Devices, "appPasswords" | "knownPlaces">;
  readonly history: Pick<History, "entries">;
  readonly mail: Pick<
    Mail,
    "usage" | "snapshot" | "listPage" | "locate" | "locateFrom" | "inspect" | "receivedBefore" | "removedMessages"
  >;
  readonly scrub: Pick<Scrubbing, "scrubs">;
  readonly upkeep: Pick<Upkeep, "removedUsage" | "lastTime">;
};

/** The reading verbs over a connection. */
export function createReads(sql: Sql): Reads {
  return {
    directory: {
      domains: async () => (await sql.all(listDomains, {})).map(({ name }) => name),
      hasDomain: (domain) => hasDomain(sql, domain),
      account: (address) => findAccount(sql, address),
      accounts: (query) => pageOfAccounts(sql, query),
      summary: () => summaryOf(sql),
    },
    devices: {
      appPasswords: (account) => findAppPasswords(sql, account),
      knownPlaces: (query) => findKnownPlaces(sql, query),
    },
    history: { entries: (query) => findHistory(sql, query) },
    mail: {
      usage: (account) => usageOf(sql, account),
      snapshot: (mailbox) => snapshotOf(sql, mailbox),
      listPage: (mailbox, after, upTo, limit, octetsAs) => pageOfMessages(sql, mailbox, after, upTo, limit, octetsAs),
      locate: async (mailbox, uid) => (await locateMessages(sql, mailbox, uid, 1))[0],
      locateFrom: (mailbox, uid, limit) => locateMessages(sql, mailbox, uid, limit),
      inspect: (mailbox, after, upTo, limit) => inspectRows(sql, mailbox, after, upTo, limit),
      receivedBefore: (mailbox, before, limit) => uidsReceivedBefore(sql, mailbox, before, limit),
      removedMessages: (mailbox, query) => pageOfRemoved(sql, mailbox, query),
    },
    scrub: { scrubs: () => findScrubs(sql) },
    upkeep: { removedUsage: () => removedUsageOf(sql), lastTime: () => lastTime(sql) },
  };
}
