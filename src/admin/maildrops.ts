import * as z from "zod";
import { ok } from "../lib/result.ts";
import { releaseMaildrop as endSession } from "../mailbox/accounts.ts";
import { quotaOf, type MailboxName } from "../model/account.ts";
import type { MailboxId, Uid } from "../model/ids.ts";
import { uidl } from "../model/message.ts";
import type { ListingPage } from "../store/ports.ts";
import { withMaildrop } from "./find.ts";
import { operation } from "./operation.ts";
import type { AdminServices } from "./services.ts";
import { PAGE } from "./users.ts";

/** One message of a maildrop, numbered as a session would; `received` is ISO 8601. */
export type MessageRow = {
  readonly number: number;
  readonly uidl: string;
  readonly octets: number;
  readonly received: string | null;
};

/** What a maildrop holds. */
export type MaildropRow = {
  readonly name: MailboxName;
  readonly messages: number;
  readonly octets: number;
  readonly inSession: boolean;
  /** What undelete may bring back; `until`: when the last of it is erased, ISO 8601, null where there is none. */
  readonly removed: { readonly messages: number; readonly octets: number; readonly until: string | null };
};

const DAY_MS = 24 * 60 * 60 * 1000;
const address = z.string().max(1024);

/** Shows what a user's maildrops hold. */
export const showMaildrop = operation(z.strictObject({ address }), (input, { services }) =>
  withMaildrop(services, input.address, async ({ account }) => {
    const mailboxes = [
      await mailboxRow(services, "INBOX", account.inbox),
      await mailboxRow(services, "Junk", account.junk),
    ];
    return ok({ address: account.address, mailboxes, limits: quotaOf(account, services.defaultQuota()) });
  }),
);

async function mailboxRow(services: AdminServices, name: MailboxName, id: MailboxId): Promise<MaildropRow> {
  const { mail, leases } = services.store;
  const snapshot = await mail.snapshot(id);
  const [newest] = await mail.removedMessages(id, { limit: 1 });
  const until = newest === undefined ? undefined : newest.at + services.defaults().undeleteDays * DAY_MS;
  return {
    name,
    messages: snapshot?.messages ?? 0,
    octets: snapshot?.octets ?? 0,
    inSession: leases.held(id),
    removed: {
      messages: snapshot?.removed.messages ?? 0,
      octets: snapshot?.removed.octets ?? 0,
      until: until === undefined ? null : new Date(until).toISOString(),
    },
  };
}

/**
 * Lists the messages of a maildrop, a page at a time: `next` holds the input of the page that follows, null at the end.
 * `user+junk@domain` names Junk, as at login.
 */
export const listMessages = operation(
  z.strictObject({ address, after: z.int().nonnegative().default(0), number: z.int().positive().default(1) }),
  (input, { services }) =>
    withMaildrop(services, input.address, async ({ account, name, mailbox }) => {
      const page = await services.store.mail.listPage(mailbox, input.after, 2 ** 32 - 1, PAGE);
      const messages = await Promise.all(
        Array.from({ length: page.messages }, (_, index) =>
          rowOf(services, mailbox, page, index, input.number + index),
        ),
      );
      const last = page.uids[page.messages - 1];
      const next = page.messages < PAGE || last === undefined ? null : { after: last, number: input.number + PAGE };
      return ok({ address: account.address, mailbox: name, messages, next });
    }),
);

/** Ends the session that holds a maildrop, without UPDATE; one that is in UPDATE is let finish. */
export const releaseMaildrop = operation(z.strictObject({ address }), (input, { services }) =>
  withMaildrop(services, input.address, async ({ account, name, mailbox }) => {
    const released = await endSession(services.store, mailbox);
    services.log.info("admin.change", { action: "maildrop.release", subject: account.address, detail: name });
    return ok({ address: account.address, mailbox: name, released });
  }),
);

async function rowOf(
  services: AdminServices,
  mailbox: MailboxId,
  page: ListingPage,
  index: number,
  number: number,
): Promise<MessageRow> {
  const uid = (page.uids[index] ?? 0) as Uid;
  const stored = await services.store.mail.locate(mailbox, uid);
  return {
    number,
    uidl: page.names.get(index) ?? uidl(uid, page.tags[index] ?? 0),
    octets: page.octets[index] ?? 0,
    received: stored === undefined ? null : new Date(stored.received).toISOString(),
  };
}
