import type { MailboxId, Uid } from "../model/ids.ts";
import { parseUidl, uidl, uidlHead } from "../model/message.ts";
import type { Mail, RemovedMessage } from "../store/ports.ts";

type Reads = Pick<Mail, "listPage" | "removedMessages" | "locate">;

/** Where a message is that a UIDL names. */
export type Whereabouts =
  | {
      readonly state: "here";
      readonly uid: Uid;
      readonly uidl: string;
      readonly octets: number;
      readonly received: number;
    }
  /** Undelete may bring it back. */
  | { readonly state: "removed"; readonly uid: Uid; readonly removed: RemovedMessage }
  /** Nothing is known of it but its history, if it ever was. */
  | { readonly state: "gone"; readonly uid: Uid; readonly uidl: string };

const HIGHEST_UID = 2 ** 32 - 1;
const PAGE = 1000;

/**
 * Finds a message by its UIDL: by the uid in front of it where it is one of ours, else by looking through those that came
 * with their own (imported mail). The uid alone finds one last, as history names what is gone. undefined: there is none, and
 * its form says nothing.
 */
export async function findMessage(mail: Reads, mailbox: MailboxId, text: string): Promise<Whereabouts | undefined> {
  const parsed = parseUidl(text);
  const byUid = parsed === undefined ? undefined : await byUidOf(mail, mailbox, parsed.uid);
  if (byUid !== undefined && nameOf(byUid) === text) return byUid;
  const own = await importedHere(mail, mailbox, text);
  if (own !== undefined) return byUidOf(mail, mailbox, own);
  const removed = await importedRemoved(mail, mailbox, text);
  if (removed !== undefined) return { state: "removed", uid: removed.uid, removed };
  if (parsed === undefined) return undefined;
  // One of the same number but with other random bits is another message.
  if (byUid !== undefined) return parsed.tag === undefined ? byUid : undefined;
  return { state: "gone", uid: parsed.uid, uidl: text };
}

/** The UIDL of a message that is here or removed; of one that is gone the uid in front of it, by which it is found as well. */
export async function uidlOf(mail: Reads, mailbox: MailboxId, uid: Uid): Promise<string> {
  const page = await mail.listPage(mailbox, uid - 1, uid, 1);
  if (page.messages > 0) return page.names.get(0) ?? uidl(uid, page.tags[0] ?? 0);
  const [removed] = await mail.removedMessages(mailbox, { uid, limit: 1 });
  return removed?.uidl ?? uidlHead(uid);
}

/** Where a message of this uid is; of one that is gone its name's head is all that is known. */
export async function findByUid(mail: Reads, mailbox: MailboxId, uid: Uid): Promise<Whereabouts> {
  return (await byUidOf(mail, mailbox, uid)) ?? { state: "gone", uid, uidl: uidlHead(uid) };
}

async function byUidOf(mail: Reads, mailbox: MailboxId, uid: Uid): Promise<Whereabouts | undefined> {
  const page = await mail.listPage(mailbox, uid - 1, uid, 1);
  const stored = page.messages === 0 ? undefined : await mail.locate(mailbox, uid);
  if (stored !== undefined) {
    const name = page.names.get(0) ?? uidl(uid, page.tags[0] ?? 0);
    return { state: "here", uid, uidl: name, octets: stored.place.octets, received: stored.received };
  }
  const [removed] = await mail.removedMessages(mailbox, { uid, limit: 1 });
  return removed === undefined ? undefined : { state: "removed", uid, removed };
}

function nameOf(found: Whereabouts): string {
  return found.state === "removed" ? found.removed.uidl : found.uidl;
}

async function importedHere(mail: Reads, mailbox: MailboxId, text: string): Promise<Uid | undefined> {
  for (let after = 0; ;) {
    const page = await mail.listPage(mailbox, after, HIGHEST_UID, PAGE);
    for (const [index, name] of page.names) if (name === text) return page.uids[index] as Uid | undefined;
    const last = page.uids[page.messages - 1];
    if (page.messages < PAGE || last === undefined) return undefined;
    after = last;
  }
}

async function importedRemoved(mail: Reads, mailbox: MailboxId, text: string): Promise<RemovedMessage | undefined> {
  for (let after: { readonly at: number; readonly uid: Uid } | undefined; ;) {
    const page = await mail.removedMessages(mailbox, { limit: PAGE, ...(after === undefined ? {} : { after }) });
    const found = page.find((one) => one.uidl === text);
    const last = page.at(-1);
    if (found !== undefined || last === undefined || page.length < PAGE) return found;
    after = { at: last.at, uid: last.uid };
  }
}
