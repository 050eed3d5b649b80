import type { Brand } from "../lib/brand.ts";

/** Row ids of the store; positive integers that are never reused. */
export type AccountId = Brand<number, "AccountId">;
export type MailboxId = Brand<number, "MailboxId">;
export type BodyId = Brand<number, "BodyId">;
export type SegmentId = Brand<number, "SegmentId">;

/** A message's number in its mailbox: grows with each delivery, never reused, may skip ahead; below 2^32. */
export type Uid = Brand<number, "Uid">;
