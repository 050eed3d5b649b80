import type { Channel } from "../../auth/engine/channel.ts";
import type { ScramFacts } from "../../auth/engine/mechanism.ts";
import { assert, unreachable } from "../../lib/assert.ts";
import type { Listing } from "../../model/listing.ts";
import type { Effects } from "./effects.ts";
import { loggedIn, refused } from "./login.ts";
import { Maildrop } from "./maildrop.ts";
import { close } from "./quit.ts";
import { answered } from "./sasl.ts";
import { chooseTexts, startAfresh, type Person, type Session } from "./session.ts";

/** Why a port gave no answer: an outage, or damage that waiting will not mend (rule 3206-01). */
export type Outage = "unavailable" | "damaged";

type NotOpened = "in-use" | "login-delay" | Outage;
type NotSent = "damaged" | "gone" | "failed" | "utf8";

/** "partly": some of what was marked stays, for it is damaged; the rest was removed. */
type UpdateOutcome = "done" | "partly" | "lost" | "full" | "failed";

/** What became of what the last action asked for. */
export type Answer =
  | { readonly kind: "logged-in"; readonly person: Person }
  | { readonly kind: "not-logged-in"; readonly reason: "refused" | "throttled" | Outage }
  | { readonly kind: "answered"; readonly facts: ScramFacts }
  | { readonly kind: "not-answered"; readonly reason: Outage }
  | { readonly kind: "opened"; readonly messages: number; readonly octets: number }
  | { readonly kind: "not-opened"; readonly reason: NotOpened }
  | { readonly kind: "loaded"; readonly listing: Listing }
  | { readonly kind: "not-loaded"; readonly reason: Outage }
  | { readonly kind: "listed" }
  | { readonly kind: "sent" }
  /** Nothing of the message has left; "utf8": it cannot be had without UTF8. */
  | { readonly kind: "not-sent"; readonly reason: NotSent }
  | { readonly kind: "updated"; readonly outcome: UpdateOutcome }
  | { readonly kind: "upgrade"; readonly octetsBehind: number }
  | { readonly kind: "secured"; readonly channel: Channel };

/** Carries on where the last action stopped. "loaded" is the caller's: the command that asked is then carried out. */
export function takeAnswer(session: Session, answer: Exclude<Answer, { kind: "loaded" }>, effects: Effects): void {
  const { awaited } = session;
  session.awaited = undefined;
  switch (answer.kind) {
    case "logged-in":
      assert(awaited?.kind === "login", "a login was asked for");
      return loggedIn(session, awaited.exchange, answer.person, effects);
    case "not-logged-in":
      if (answer.reason !== "refused") return notJudged(session, answer.reason, effects);
      assert(awaited?.kind === "login", "a login was asked for");
      return refused(session, awaited.exchange, effects);
    case "answered":
      assert(awaited?.kind === "answered", "an exchange asked");
      return answered(session, awaited.exchange, answer.facts, effects);
    case "not-answered":
      return notJudged(session, answer.reason, effects);
    case "opened":
      assert(awaited?.kind === "opened", "somebody has logged in");
      return opened(session, awaited.person, answer, effects);
    case "not-opened":
      return notOpened(session, answer.reason, effects);
    case "not-loaded":
      return outage(session, answer.reason, effects);
    case "listed":
      return;
    case "sent":
      if (session.state.phase === "transaction" && awaited?.kind === "sent" && awaited.whole)
        session.state.drop.unbar(awaited.index);
      return;
    case "not-sent":
      if (session.state.phase === "transaction" && awaited?.kind === "sent" && awaited.whole)
        session.state.drop.bar(awaited.index);
      return notSent(session, answer.reason, effects);
    case "updated":
      return afterUpdate(session, answer.outcome, effects);
    case "upgrade":
      return upgrade(session, answer.octetsBehind, effects);
    case "secured":
      return startAfresh(session, answer.channel);
    default:
      unreachable(answer);
  }
}

// Nothing was judged, so it is no credential's failure (rule 3206-01): a client is not to ask for another password.
function notJudged(session: Session, reason: "throttled" | Outage, effects: Effects): void {
  if (reason === "damaged") outage(session, reason, effects);
  else effects.error(reason === "throttled" ? session.texts.throttled : session.texts.loginUnavailable, "SYS/TEMP");
}

function opened(
  session: Session,
  person: Person,
  { messages, octets }: Extract<Answer, { kind: "opened" }>,
  effects: Effects,
): void {
  const { texts } = session;
  session.state = { phase: "transaction", drop: new Maildrop(messages, octets), person };
  effects.ok(`${messages} ${texts.messages} (${octets} ${texts.octets})`);
}

// Only who has logged in hears of the maildrop (rule 2449-09), and in his own language; then nobody is logged in.
function notOpened(session: Session, reason: NotOpened, effects: Effects): void {
  if (reason === "in-use") effects.error(session.personal.inUse, "IN-USE");
  else if (reason === "login-delay") effects.error(session.personal.loginDelay, "LOGIN-DELAY");
  else outage(session, reason, effects);
  chooseTexts(session, undefined);
}

/** Says that the store gave no answer. */
export function outage({ personal }: Session, reason: Outage, effects: Effects): void {
  if (reason === "damaged") effects.error(personal.damaged, "SYS/PERM");
  else effects.error(personal.unavailable, "SYS/TEMP");
}

function notSent({ personal }: Session, reason: NotSent, effects: Effects): void {
  switch (reason) {
    case "failed":
      return effects.error(personal.messageFailed, "SYS/TEMP");
    case "utf8":
      return effects.error(personal.messageNeedsUtf8, "UTF8");
    case "damaged":
      return effects.error(personal.messageDamaged, "SYS/PERM");
    case "gone":
      return effects.error(personal.messageGone, "SYS/PERM");
    default:
      unreachable(reason);
  }
}

// Whatever was not removed makes it an error, though all else that was marked is gone (rule 1939-16).
function afterUpdate(session: Session, outcome: UpdateOutcome, effects: Effects): void {
  if (outcome === "done") effects.ok(session.texts.bye);
  else if (outcome === "partly") effects.error(session.personal.notRemoved, "SYS/PERM");
  else effects.error(outcome === "lost" ? session.personal.takenOver : session.personal.notRemoved, "SYS/TEMP");
  close(session, effects);
}

function upgrade(session: Session, octetsBehind: number, effects: Effects): void {
  if (octetsBehind > 0) {
    effects.error(session.texts.behindStls);
    return close(session, effects, "octets-behind-stls");
  }
  effects.ok(session.texts.beginTls);
  session.awaited = { kind: "secured" };
  effects.action = { kind: "handshake" };
}
