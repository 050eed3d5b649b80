import type { Address } from "./address.ts";
import type { AccountId, MailboxId } from "./ids.ts";
import type { Peer } from "./peer.ts";
import type { Quota } from "./quota.ts";

/** A recipient that RCPT admitted: which mailbox of which account takes the mail. */
export type Recipient = {
  /** As the client wrote it, for traces and LMTP answers. */
  readonly asGiven: string;
  readonly address: Address;
  readonly account: AccountId;
  readonly mailbox: MailboxId;
  /** Takes it where a filter before us marked it as junk; absent: `mailbox` does. */
  readonly junk?: MailboxId;
  /** What the account may hold; LMTP asks for it again when the message is stored. */
  readonly quota: Quota;
};

/** How a message came: what its trace headers say (RFC 5321 §4.4). */
export type Envelope = {
  readonly protocol:
    | "SMTP"
    | "ESMTP"
    | "ESMTPS"
    | "ESMTPA"
    | "ESMTPSA"
    | "UTF8SMTP"
    | "UTF8SMTPS"
    | "UTF8SMTPA"
    | "UTF8SMTPSA"
    | "LMTP"
    | "LMTPS"
    | "UTF8LMTP"
    | "UTF8LMTPS";
  readonly peer: Peer;
  /** What the client called itself in HELO, EHLO or LHLO. */
  readonly helo: string;
  /** TLS version and cipher, where there was TLS. */
  readonly tls?: { readonly version: string; readonly cipher: string };
  /** Who submitted it, where somebody logged in. */
  readonly submitter?: Address;
  /** The reverse path without angle brackets; "" is the null path. */
  readonly sender: string;
  readonly recipients: readonly Recipient[];
};
