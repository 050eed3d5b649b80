import type { Directory, Mail } from "./ports.ts";
import { findAccount, pageOfAccounts } from "./sql/accounts.ts";
import { hasDomain, listDomains } from "./sql/domains.ts";
import { snapshotOf, usageOf } from "./sql/mailboxes.ts";
import { locateMessages, pageOfMessages } from "./sql/messages.ts";
import type { Sql } from "./sql/statement.ts";

/** What only reads, answered by a connection of the thread's own. */
export type Reads = {
  readonly directory: Pick<Directory, "domains" | "hasDomain" | "account" | "accounts">;
  readonly mail: Pick<Mail, "usage" | "snapshot" | "listPage" | "locate" | "locateFrom">;
};

/** The reading verbs over a connection. */
export function createReads(sql: Sql): Reads {
  return {
    directory: {
      domains: async () => (await sql.all(listDomains, {})).map(({ name }) => name),
      hasDomain: (domain) => hasDomain(sql, domain),
      account: (address) => findAccount(sql, address),
      accounts: (query) => pageOfAccounts(sql, query),
    },
    mail: {
      usage: (account) => usageOf(sql, account),
      snapshot: (mailbox) => snapshotOf(sql, mailbox),
      listPage: (mailbox, after, upTo, limit) => pageOfMessages(sql, mailbox, after, upTo, limit),
      locate: async (mailbox, uid) => (await locateMessages(sql, mailbox, uid, 1))[0],
      locateFrom: (mailbox, uid, limit) => locateMessages(sql, mailbox, uid, limit),
    },
  };
}
