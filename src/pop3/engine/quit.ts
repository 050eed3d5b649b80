import type { Effects } from "./effects.ts";
import type { Session } from "./session.ts";

/**
 * QUIT: before a login only an end; after it UPDATE, whose outcome is the answer (rule 1939-16). With nothing marked the
 * driver has nothing to remove and just gives the maildrop back.
 */
export function quit(session: Session, _: readonly string[], effects: Effects): void {
  const { state } = session;
  if (state.phase === "transaction") {
    session.state = { phase: "over" };
    session.awaited = { kind: "updated" };
    effects.action = { kind: "update", uids: state.drop.marked() };
    return;
  }
  effects.ok(session.texts.bye);
  close(session, effects);
}

/** Ends the session once what was said has left. */
export function close(session: Session, effects: Effects, attack?: string): void {
  session.state = { phase: "over" };
  effects.action = attack === undefined ? { kind: "close" } : { kind: "close", attack };
}
