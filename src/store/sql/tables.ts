import type { MailboxName } from "../../model/account.ts";
import type { Address, Domain } from "../../model/address.ts";
import type { AccountId, BodyId, MailboxId, SegmentId, Uid } from "../../model/ids.ts";

/** The tables as the newest migration leaves them; what each column means stands there. */
export type Tables = {
  domain: { name: Domain; created: number };
  account: {
    id: AccountId;
    address: Address;
    domain: Domain;
    secret: string;
    enabled: number;
    quota_octets: number | null;
    quota_messages: number | null;
    created: number;
  };
  mailbox: {
    id: MailboxId;
    account: AccountId;
    name: MailboxName;
    next_uid: number;
    messages: number;
    octets: number;
    octets_downgraded: number;
  };
  body: {
    id: BodyId;
    segment: SegmentId | null;
    offset: number;
    octets: number;
    crc32: number;
    sha256: Uint8Array;
    encoding: number;
    dotted: number;
    refs: number;
  };
  message: MessageRow;
  removal: { id: number; mailbox: MailboxId; uids: Uint8Array; done: number };
  segment: { id: SegmentId; live: number; total: number; sealed: number; dead_since: number | null };
  high_water: { name: IdKind; value: number };
  schema_version: { version: number };
};

/** A row of `message`. */
export type MessageRow = {
  mailbox: MailboxId;
  uid: Uid;
  octets: number;
  octets_downgraded: number;
  uidl_tag: number;
  uidl: string | null;
  body: BodyId;
  body_key: Uint8Array | null;
  received: number;
  row_crc: number;
};

/** What has ids of its own. */
export type IdKind = "account" | "mailbox" | "body" | "segment" | "removal";
