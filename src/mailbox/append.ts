import type { Result } from "../lib/result.ts";
import { type Account, quotaOf } from "../model/account.ts";
import type { AccountId } from "../model/ids.ts";
import { fits, type Quota, type Usage } from "../model/quota.ts";
import type { Appended, Delivery, Mail, WriteFailure } from "../store/ports.ts";

/** The way in: adding messages, and whether there is room for them. */
export type Inbound = {
  /** Stores one message for all its recipients in one transaction; resolves when it is on stable storage (P1). */
  append(delivery: Delivery): Promise<Result<Appended, WriteFailure>>;
  /** What an account holds, INBOX and Junk together. */
  usage(account: AccountId): Promise<Usage>;
  /** Whether a message of so many octets still fits; RCPT asks with what SIZE said, or 0. */
  hasRoom(account: Account, octets: number, defaults: Quota): Promise<boolean>;
};

/** Makes the way in over a store. */
export function createInbound(mail: Pick<Mail, "append" | "usage">): Inbound {
  return {
    append: (delivery) => mail.append(delivery),
    usage: (account) => mail.usage(account),
    hasRoom: async (account, octets, defaults) =>
      fits(await mail.usage(account.id), quotaOf(account, defaults), octets),
  };
}
