import * as z from "zod";
import { ok } from "../lib/result.ts";
import { quotaOf, type Account, type MailboxName } from "../model/account.ts";
import { parseAddress, splitAddress } from "../model/address.ts";
import type { MailboxId, Uid } from "../model/ids.ts";
import { uidl } from "../model/message.ts";
import type { ListingPage } from "../store/ports.ts";
import { operation } from "./operation.ts";
import { refuse } from "./refusal.ts";
import type { AdminServices } from "./services.ts";
import { PAGE } from "./users.ts";

/** One message of a maildrop, numbered as a session would; `received` is ISO 8601. */
export type MessageRow = {
  readonly number: number;
  readonly uidl: string;
  readonly octets: number;
  readonly received: string | null;
};

/** Shows what a user's maildrops hold. */
export const showMaildrop = operation(
  z.strictObject({ address: z.string().max(1024) }),
  async (input, { services }) => {
    const found = await find(services, input.address);
    if (found === undefined)
      return refuse(parseAddress(input.address).ok ? "unknown-user" : "bad-address", input.address);
    const { account } = found;
    const mailboxes = await Promise.all(
      (["INBOX", "Junk"] as const).map(async (name) => {
        const id = name === "INBOX" ? account.inbox : account.junk;
        const snapshot = await services.store.mail.snapshot(id);
        return {
          name,
          messages: snapshot?.messages ?? 0,
          octets: snapshot?.octets ?? 0,
          inSession: services.store.leases.held(id),
        };
      }),
    );
    return ok({ address: account.address, mailboxes, limits: quotaOf(account, services.defaultQuota()) });
  },
);

/**
 * Lists the messages of a maildrop, a page at a time: `next` holds the input of the page that follows, null at the end.
 * `user+junk@domain` names Junk, as at login.
 */
export const listMessages = operation(
  z.strictObject({
    address: z.string().max(1024),
    after: z.int().nonnegative().default(0),
    number: z.int().positive().default(1),
  }),
  async (input, { services }) => {
    const found = await find(services, input.address);
    if (found === undefined)
      return refuse(parseAddress(input.address).ok ? "unknown-user" : "bad-address", input.address);
    const { account, mailbox } = found;
    const id = mailbox === "INBOX" ? account.inbox : account.junk;
    const page = await services.store.mail.listPage(id, input.after, 2 ** 32 - 1, PAGE);
    const messages = await Promise.all(
      Array.from({ length: page.messages }, (_, index) => rowOf(services, id, page, index, input.number + index)),
    );
    const last = page.uids[page.messages - 1];
    const next = page.messages < PAGE || last === undefined ? null : { after: last, number: input.number + PAGE };
    return ok({ address: account.address, mailbox, messages, next });
  },
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

// As at login (INTERFACE "Names of people"): an exact account wins, else the tag is taken off, and +junk names Junk.
async function find(
  { store }: AdminServices,
  given: string,
): Promise<{ readonly account: Account; readonly mailbox: MailboxName } | undefined> {
  const address = parseAddress(given);
  if (!address.ok) return undefined;
  const exact = await store.directory.account(address.value);
  if (exact !== undefined) return { account: exact, mailbox: "INBOX" };
  const { base, tag } = splitAddress(address.value);
  const account = tag === "" ? undefined : await store.directory.account(base);
  return account === undefined ? undefined : { account, mailbox: tag === "junk" ? "Junk" : "INBOX" };
}
