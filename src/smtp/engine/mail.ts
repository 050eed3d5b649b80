import type { Result } from "../../lib/result.ts";
import { parseAddress, splitAddress } from "../../model/address.ts";
import type { Recipient } from "../../model/envelope.ts";
import { type ParameterProblem, parseParameters, readMailParameters } from "./parameters.ts";
import { isMailbox, parsePath } from "./paths.ts";
import { noOutbox, recipientRefusals, reply } from "./reply.ts";
import type { RecipientRefusal } from "./results.ts";
import { bad, type Effects, fruitless, type Refused, type Session } from "./session.ts";

const problems: Readonly<Record<ParameterProblem, string>> = {
  "bad-syntax": reply.badArgument,
  unknown: reply.unknownParameter,
  "too-large": reply.tooLarge,
};

/** MAIL (RFC 5321 §4.1.1.2). */
export function mail(session: Session, argument: string, effects: Effects): void {
  const { settings, submitter } = session;
  if (session.helo === undefined) return bad(session, reply.greetFirst, effects);
  if (settings.protocol === "submission" && submitter === undefined) return bad(session, loginWord(session), effects);
  if (session.mail) return bad(session, reply.nested, effects);
  const parsed = parsePath(argument, "FROM:");
  if (!parsed.ok) return bad(session, reply.badArgument, effects);
  const { path: sender, international, rest } = parsed.value;
  if (sender !== "" && !isMailbox(sender)) return bad(session, reply.badSender, effects);
  const written = parseParameters(rest);
  if (!written.ok) return bad(session, reply.badArgument, effects);
  const login = settings.protocol === "submission";
  const parameters = readMailParameters(written.value, { messageOctets: settings.messageOctets, login });
  if (!parameters.ok) {
    if (parameters.error === "too-large")
      return refuse(session, { reason: "too-large", sender, recipient: "" }, reply.tooLarge, effects);
    return bad(session, problems[parameters.error], effects);
  }
  // RFC 6531 §3.5: such an address is the client's mistake when it has not asked for SMTPUTF8.
  if (international && !parameters.value.international) return bad(session, reply.notInternational, effects);
  if (submitter !== undefined && sender !== "" && !isOwn(sender, submitter.address))
    return refuse(session, { reason: "not-own-address", sender, recipient: "" }, reply.notYourAddress, effects);
  const { octets: announced } = parameters.value;
  session.begun = {
    sender,
    international: parameters.value.international,
    announced,
    recipients: [],
    incoming: undefined,
  };
  if (submitter === undefined) return begin(session, effects);
  session.waiting = "allowed";
  effects.push({ do: "allowed", submitter });
}

/** Whether who logged in may still send. */
export function answerAllowed(session: Session, allowed: boolean | undefined, effects: Effects): void {
  session.waiting = undefined;
  if (!session.begun) return;
  if (allowed === true) return begin(session, effects);
  session.begun = undefined;
  if (allowed === undefined) return fruitless(session, reply.cannotSend, effects);
  session.submitter = undefined;
  fruitless(session, reply.loginFirst, effects);
}

function begin(session: Session, effects: Effects): void {
  session.mail = session.begun;
  session.begun = undefined;
  effects.push(reply.senderOk);
}

/** RCPT (RFC 5321 §4.1.1.3): the house decides. */
export function rcpt(session: Session, argument: string, effects: Effects): void {
  const transaction = session.mail;
  if (!transaction) return bad(session, reply.mailFirst, effects);
  if (transaction.incoming) return bad(session, reply.mixed, effects);
  const parsed = parsePath(argument, "TO:");
  if (!parsed.ok) return bad(session, reply.badArgument, effects);
  const { path: recipient, international, rest } = parsed.value;
  const parameters = parseParameters(rest);
  if (!parameters.ok) return bad(session, reply.badArgument, effects);
  if (parameters.value.size > 0) return bad(session, reply.unknownParameter, effects);
  const { sender } = transaction;
  if (!isMailbox(recipient) && recipient.toLowerCase() !== "postmaster")
    return refuse(session, { reason: "bad-address", sender, recipient }, reply.badRecipient, effects);
  if (international && !transaction.international)
    return refuse(session, { reason: "bad-address", sender, recipient }, reply.notInternational, effects);
  if (transaction.recipients.length >= session.settings.recipients) {
    // The client is right to ask and to send the rest in another message (RFC 5321 §4.5.3.1.10).
    effects.push({ do: "refused", reason: "too-many", sender, recipient }, reply.tooManyRecipients);
    return;
  }
  session.asked = recipient;
  session.waiting = "recipient";
  effects.push({ do: "recipient", path: recipient, octets: transaction.announced });
}

/** What the house said of the recipient. */
export function answerRecipient(session: Session, result: Result<Recipient, RecipientRefusal>, effects: Effects): void {
  session.waiting = undefined;
  const transaction = session.mail;
  if (!transaction) return;
  if (result.ok) {
    transaction.recipients.push(result.value);
    effects.push(reply.recipientOk);
    return;
  }
  const { error: reason } = result;
  const noWayOut = session.settings.protocol === "submission" && reason === "elsewhere";
  const refused = { reason, sender: transaction.sender, recipient: session.asked };
  refuse(session, refused, noWayOut ? noOutbox : recipientRefusals[reason], effects);
}

/** Guessing addresses is bounded like everything that leads to no message. */
function refuse(session: Session, refused: Omit<Refused, "do">, text: string, effects: Effects): void {
  effects.push({ do: "refused", ...refused });
  fruitless(session, text, effects);
}

/** A user may write as the account's address or one of its tags; the null path is for what must not be answered. */
function isOwn(sender: string, submitter: string): boolean {
  const address = parseAddress(sender);
  return address.ok && (address.value === submitter || splitAddress(address.value).base === submitter);
}

function loginWord({ settings, channel, policy }: Session): string {
  return !channel.secure && !policy.allowCleartext && settings.startTls ? reply.tlsFirst : reply.loginFirst;
}
