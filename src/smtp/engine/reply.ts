import type { LoginRefusal, Outcome, RecipientRefusal } from "./results.ts";

/*
 * Every reply, once. Each fits into 512 octets (RFC 5321 §4.5.3.1.5), none repeats what the client sent, and all but
 * the greeting, the answers to EHLO and the 3xx carry an enhanced code (RFC 2034 §4).
 */

/** Replies of one line that never change. */
export const reply = {
  ok: "250 2.0.0 OK\r\n",
  senderOk: "250 2.1.0 sender OK\r\n",
  recipientOk: "250 2.1.5 recipient OK\r\n",
  chunkOk: "250 2.0.0 chunk received\r\n",
  bye: "221 2.0.0 closing the connection\r\n",
  readyForTls: "220 2.0.0 ready to start TLS\r\n",
  loggedIn: "235 2.7.0 authenticated\r\n",
  help: "214 2.0.0 see RFC 5321\r\n",
  vrfy: "252 2.0.0 send mail to find out\r\n",
  sendContent: "354 send the message, end with a dot on a line of its own\r\n",

  shuttingDown: "421 4.3.2 the server is shutting down\r\n",
  idle: "421 4.4.2 nothing came for too long\r\n",
  tooSlow: "421 4.4.2 the message took too long\r\n",
  noAnswer: "421 4.3.0 this took the server too long, try later\r\n",
  tooManyBad: "421 4.7.0 too many bad commands\r\n",
  tooManyFruitless: "421 4.7.0 too many commands without a message\r\n",
  tooManyLogins: "421 4.7.0 too many failed logins\r\n",
  notHttp: "421 4.7.0 this is not HTTP\r\n",
  cannotSend: "451 4.3.0 cannot look that up now, try later\r\n",
  noMemory: "452 4.3.1 no room for a message now, try later\r\n",
  tooManyRecipients: "452 4.5.3 too many recipients, send the rest separately\r\n",

  unknownCommand: "500 5.5.1 unknown command\r\n",
  badLine: "500 5.5.2 bad characters in a command\r\n",
  longLine: "500 5.5.2 line too long\r\n",
  longResponse: "500 5.5.6 response too long\r\n",
  badArgument: "501 5.5.4 bad arguments\r\n",
  badSender: "501 5.1.7 bad sender address\r\n",
  badRecipient: "501 5.1.3 bad recipient address\r\n",
  badChunk: "501 5.5.4 bad chunk size\r\n",
  badResponse: "501 5.5.2 cannot decode the response\r\n",
  cancelled: "501 5.7.0 authentication cancelled\r\n",
  noTls: "502 5.5.1 TLS is not available\r\n",
  greetFirst: "503 5.5.1 say hello first\r\n",
  nested: "503 5.5.1 a message is already under way\r\n",
  mailFirst: "503 5.5.1 MAIL first\r\n",
  recipientFirst: "503 5.5.1 no valid recipients\r\n",
  mixed: "503 5.5.1 DATA, RCPT and MAIL do not go with BDAT\r\n",
  alreadyTls: "503 5.5.1 TLS is already active\r\n",
  behindTls: "554 5.5.1 commands behind STARTTLS, closing\r\n",
  alreadyLoggedIn: "503 5.5.1 already authenticated\r\n",
  unknownMechanism: "504 5.5.4 unknown authentication mechanism\r\n",
  loginFirst: "530 5.7.0 authentication required\r\n",
  tlsFirst: "530 5.7.0 STARTTLS first\r\n",
  encryptionFirst: "538 5.7.11 encryption required to authenticate\r\n",
  bareLineEnd: "550 5.6.11 a line ends without CRLF\r\n",
  tooLarge: "552 5.3.4 message too large\r\n",
  notYourAddress: "553 5.7.1 this is not an address of yours\r\n",
  notInternational: "553 5.6.7 this address needs SMTPUTF8\r\n",
  unknownParameter: "555 5.5.4 unknown parameter\r\n",
} as const;

/** Answers to RCPT. */
export const recipientRefusals: Readonly<Record<RecipientRefusal, string>> = {
  "bad-address": reply.badRecipient,
  elsewhere: "550 5.7.1 relaying denied\r\n",
  unknown: "550 5.1.1 no such mailbox\r\n",
  disabled: "550 5.2.1 mailbox disabled\r\n",
  "over-quota": "452 4.2.2 mailbox full\r\n",
  unavailable: "451 4.3.0 cannot look that up now, try later\r\n",
};

/** What a user of ours is told of an address on another server. */
export const noOutbox = "550 5.7.1 this server does not send mail to other servers yet\r\n";

/** Answers to AUTH; the same words whatever was wrong (P10). */
export const loginRefusals: Readonly<Record<LoginRefusal, string>> = {
  refused: "535 5.7.8 authentication failed\r\n",
  throttled: "454 4.7.0 too many failed logins, try later\r\n",
  unavailable: "454 4.7.0 cannot authenticate now, try later\r\n",
  crowded: "454 4.7.0 this account has too many sessions, try later\r\n",
};

/** Answers to a whole message, for one recipient (LMTP) or for all. */
export const outcomes: Readonly<Record<Outcome, string>> = {
  stored: "250 2.0.0 stored\r\n",
  "over-quota": "552 5.2.2 mailbox full\r\n",
  "no-mailbox": "550 5.1.1 no such mailbox\r\n",
  loop: "554 5.4.6 too many hops, this looks like a loop\r\n",
  full: "452 4.3.1 no room to store it, try later\r\n",
  failed: "451 4.3.0 cannot store it now, try later\r\n",
};

// A sender that tries again may send a copy twice; one that was told 250 never tries again. So what may pass comes first.
const worstFirst = ["failed", "full", "loop", "over-quota"] as const satisfies readonly Outcome[];

/**
 * The one answer of SMTP for all recipients: 250 says that it is stored for each that still exists. A mailbox that went
 * away since RCPT counts only when there is no other.
 */
export function outcomeForAll(each: readonly Outcome[]): Outcome {
  const worst = worstFirst.find((outcome) => each.includes(outcome));
  return worst ?? (each.includes("stored") ? "stored" : "no-mailbox");
}
