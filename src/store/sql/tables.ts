import type { MailboxName } from "../../model/account.ts";
import type { Address, Domain } from "../../model/address.ts";
import type { AppPasswordId } from "../../model/device.ts";
import type { HistoryKind } from "../../model/history.ts";
import type { AccountId, BodyId, MailboxId, SegmentId, Uid } from "../../model/ids.ts";
import type { LanguageTag } from "../../model/language.ts";
import type { RemovalCause } from "../ports.ts";

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
    scram: Uint8Array | null;
    expire_days: number | null;
    login_delay_seconds: number | null;
    language: LanguageTag | null;
  };
  app_password: {
    id: AppPasswordId;
    account: AccountId;
    name: string;
    digest: Uint8Array;
    scram: Uint8Array;
    scopes: string;
    no_delete: number;
    expires: number | null;
    created: number;
    last_used: number | null;
    last_peer: string | null;
  };
  known_place: { account: AccountId; place: string; last: number };
  mailbox: {
    id: MailboxId;
    account: AccountId;
    name: MailboxName;
    next_uid: number;
    messages: number;
    octets: number;
    octets_downgraded: number;
    removed_messages: number;
    removed_octets: number;
    sum: number;
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
    sum: number;
  };
  message: MessageRow;
  removal: {
    id: number;
    mailbox: MailboxId;
    uids: Uint8Array;
    done: number;
    at: number;
    kind: RemovalKind;
    session: string;
    device: string;
    peer: string;
    keep: number;
    uids_crc: number | null;
  };
  removed: RemovedRow;
  history: {
    mailbox: MailboxId;
    id: number;
    at: number;
    kind: HistoryKind;
    uids: Uint8Array;
    new_uids: Uint8Array | null;
    octets: Uint8Array | null;
    session: string;
    device: string;
    peer: string;
  };
  segment: { id: SegmentId; live: number; total: number; sealed: number; dead_since: number | null };
  /** Ids, and under "clock" the time of day that was believed last (ms since 1970). */
  high_water: { name: IdKind | "clock"; value: number };
  scrub: {
    name: "current" | "last";
    started: number;
    at: number;
    stage: string;
    position: number;
    messages: number;
    bodies: number;
    octets: number;
    found: number;
    mended: number;
    findings: string;
  };
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

/** A row of `removed`: a message that undelete may bring back, as it was, and who took it when. */
export type RemovedRow = MessageRow & { at: number; session: string; device: string };

/** Why rows wait to be removed; "account": all that a removed account left; "": no word of it goes into a history. */
export type RemovalKind = RemovalCause["kind"] | "account" | "";

/** What has ids of its own. */
export type IdKind = "account" | "mailbox" | "body" | "segment" | "removal" | "app_password" | "history";
