import type { Clock } from "../lib/clock.ts";
import { assert } from "../lib/assert.ts";
import type { Result } from "../lib/result.ts";
import type { Envelope, Recipient } from "../model/envelope.ts";
import type { Outcome, SmtpPorts } from "../smtp/ports.ts";
import type { Appended, Delivery, WriteFailure } from "../store/ports.ts";
import { Content } from "./content.ts";
import { traceHeaders } from "./trace.ts";

/** What taking a message in needs of the house. */
export type AcceptParts = Readonly<{
  /** Stores it for all recipients in one transaction (mailbox/append). */
  append: (delivery: Delivery) => Promise<Result<Appended, WriteFailure>>;
  hostname: string;
  clock: Pick<Clock, "now">;
  /** Names one delivery in its trace header; letters and digits. */
  randomId: () => string;
}>;

/** More Received fields than this are a loop (RFC 5321 §6.3 asks for 100 at least). */
const RECEIVED_LIMIT = 100;

/** The way in, on one screen: content, trace headers, storage; each refusal leaves nothing behind. */
export function createAccept(parts: AcceptParts): SmtpPorts["deliver"] {
  return async (envelope, content, perRecipient) => {
    assert(content instanceof Content, "a content that intake did not open");
    try {
      if (content.header.received > RECEIVED_LIMIT) return forAll(envelope, "loop");
      const received = parts.clock.now();
      const finished = await content.finish(headOf(envelope, content, parts, received));
      if (!finished) return forAll(envelope, content.failure ?? "failed");
      const { junk } = content.header;
      const targets = envelope.recipients.map((one) => ({ ...one, mailbox: (junk && one.junk) || one.mailbox }));
      return await store(parts, targets, { ...finished, received }, perRecipient);
    } finally {
      content.discard();
    }
  };
}

/** The trace headers, and a blank line where the content would otherwise run into them. */
function headOf(envelope: Envelope, content: Content, parts: AcceptParts, received: number): Uint8Array {
  const trace = traceHeaders(envelope, parts.hostname, parts.randomId(), received);
  return Buffer.from(content.header.first === "text" ? `${trace}\r\n` : trace);
}

async function store(
  parts: AcceptParts,
  targets: readonly Recipient[],
  message: Omit<Delivery, "recipients">,
  perRecipient: boolean,
): Promise<readonly Outcome[]> {
  // A mailbox named twice gets one copy; every recipient that named it gets its answer.
  const mailboxes = [...new Map(targets.map((recipient) => [recipient.mailbox, recipient])).values()];
  const recipients = mailboxes.map(({ account, mailbox, quota }) => ({
    account,
    mailbox,
    quota: perRecipient ? quota : null,
  }));
  const appended = await parts.append({ ...message, recipients });
  if (!appended.ok) return targets.map(() => appended.error);
  const outcomes = new Map(mailboxes.map(({ mailbox }, i) => [mailbox, outcomeOf(appended.value[i])]));
  return targets.map(({ mailbox }) => outcomes.get(mailbox) ?? "failed");
}

function outcomeOf(one: Appended[number] | undefined): Outcome {
  if (!one) return "failed";
  return one.ok ? "stored" : one.error;
}

function forAll(envelope: Envelope, outcome: Outcome): readonly Outcome[] {
  return envelope.recipients.map(() => outcome);
}
