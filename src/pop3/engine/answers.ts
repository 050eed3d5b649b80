import { unreachable } from "../../lib/assert.ts";
import type { Listing } from "../../model/listing.ts";
import type { Effects } from "./effects.ts";
import { Maildrop } from "./maildrop.ts";
import { close } from "./quit.ts";
import { newAuthorization, type Session } from "./session.ts";
import { texts } from "./texts.ts";

/** Why a port gave no answer: an outage, or damage that waiting will not mend (rule 3206-01). */
export type Outage = "unavailable" | "damaged";

/** What became of what the last action asked for. */
export type Answer =
  | { readonly kind: "login"; readonly outcome: "ok" | "refused" | "throttled" | Outage }
  | { readonly kind: "opened"; readonly messages: number; readonly octets: number }
  | { readonly kind: "not-opened"; readonly reason: "in-use" | Outage }
  | { readonly kind: "loaded"; readonly listing: Listing }
  | { readonly kind: "not-loaded"; readonly reason: Outage }
  | { readonly kind: "listed" }
  | { readonly kind: "sent" }
  /** Nothing of the message has left. */
  | { readonly kind: "not-sent"; readonly reason: "damaged" | "gone" | "failed" }
  | { readonly kind: "updated"; readonly outcome: "done" | "lost" | "full" | "failed" }
  | { readonly kind: "upgrade"; readonly octetsBehind: number }
  | { readonly kind: "secured" };

/** Carries on where the last action stopped. "loaded" is the caller's: the command that asked is then carried out. */
export function takeAnswer(session: Session, answer: Exclude<Answer, { kind: "loaded" }>, effects: Effects): void {
  const { awaited } = session;
  session.awaited = undefined;
  switch (answer.kind) {
    case "login":
      return afterLogin(session, answer.outcome, effects);
    case "opened":
      session.state = { phase: "transaction", drop: new Maildrop(answer.messages, answer.octets) };
      return effects.ok(`${answer.messages} messages (${answer.octets} octets)`);
    case "not-opened":
      // Only who has logged in hears that the maildrop is in use (rule 2449-09).
      if (answer.reason === "in-use") return effects.error(texts.inUse, "IN-USE");
      return outage(answer.reason, effects);
    case "not-loaded":
      return outage(answer.reason, effects);
    case "listed":
      return;
    case "sent":
      if (session.state.phase === "transaction" && awaited?.kind === "sent" && awaited.whole)
        session.state.drop.unbar(awaited.index);
      return;
    case "not-sent":
      if (session.state.phase === "transaction" && awaited?.kind === "sent" && awaited.whole)
        session.state.drop.bar(awaited.index);
      return notSent(answer.reason, effects);
    case "updated":
      return afterUpdate(session, answer.outcome, effects);
    case "upgrade":
      return upgrade(session, answer.octetsBehind, effects);
    case "secured":
      // Nothing that was said in clear text is known any more (rule TLS-02).
      session.tls = true;
      session.state = newAuthorization();
      return;
    default:
      unreachable(answer);
  }
}

function afterLogin(session: Session, outcome: "ok" | "refused" | "throttled" | Outage, effects: Effects): void {
  switch (outcome) {
    case "ok":
      session.awaited = { kind: "opened" };
      effects.action = { kind: "open" };
      return;
    case "refused":
      return effects.error(texts.credentials, "AUTH");
    case "throttled":
      // Nothing was judged, so it is no credential's failure (rule 3206-01): a client is not to ask for another password.
      return effects.error(texts.throttled, "SYS/TEMP");
    case "unavailable":
      return effects.error(texts.loginUnavailable, "SYS/TEMP");
    case "damaged":
      return outage(outcome, effects);
  }
}

/** Says that the store gave no answer. */
export function outage(reason: Outage, effects: Effects): void {
  if (reason === "damaged") effects.error(texts.damaged, "SYS/PERM");
  else effects.error(texts.unavailable, "SYS/TEMP");
}

function notSent(reason: "damaged" | "gone" | "failed", effects: Effects): void {
  if (reason === "failed") effects.error(texts.messageFailed, "SYS/TEMP");
  else effects.error(reason === "damaged" ? texts.messageDamaged : texts.messageGone, "SYS/PERM");
}

function afterUpdate(session: Session, outcome: "done" | "lost" | "full" | "failed", effects: Effects): void {
  if (outcome === "done") effects.ok(texts.bye);
  else effects.error(outcome === "lost" ? texts.takenOver : texts.notRemoved, "SYS/TEMP");
  close(session, effects);
}

function upgrade(session: Session, octetsBehind: number, effects: Effects): void {
  if (octetsBehind > 0) {
    effects.error(texts.behindStls);
    return close(session, effects, "octets-behind-stls");
  }
  effects.ok(texts.beginTls);
  session.awaited = { kind: "secured" };
  effects.action = { kind: "handshake" };
}
