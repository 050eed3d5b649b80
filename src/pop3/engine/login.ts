import { encodeBase64 } from "../../auth/engine/base64.ts";
import type { Credentials } from "../../auth/engine/credentials.ts";
import type { Exchange, Verdict } from "../../auth/engine/mechanism.ts";
import type { Effects } from "./effects.ts";
import { chooseTexts, type Person, type Session } from "./session.ts";

/** Has credentials judged; `exchange`: the one that led to them. */
export function judge(
  session: Session,
  credentials: Credentials,
  exchange: Exchange | undefined,
  effects: Effects,
): void {
  session.awaited = { kind: "login", exchange };
  effects.action = { kind: "login", credentials };
}

/** The credentials are somebody's. */
export function loggedIn(session: Session, exchange: Exchange | undefined, person: Person, effects: Effects): void {
  const { serverSignature } = person;
  const verdict: Verdict = { ok: true, ...(serverSignature !== undefined && { serverSignature }) };
  if (!conclude(session, exchange, verdict, person, effects)) open(session, person, effects);
}

/** The credentials are nobody's. */
export function refused(session: Session, exchange: Exchange | undefined, effects: Effects): void {
  if (!conclude(session, exchange, { ok: false }, undefined, effects)) refuse(session, effects);
}

/** Opens the maildrop: only then is the login answered (rule 1939-05). */
export function open(session: Session, person: Person, effects: Effects): void {
  chooseTexts(session, person.language);
  session.awaited = { kind: "opened", person };
  effects.action = { kind: "open", utf8: session.utf8 };
}

/** Says that the credentials were wrong. */
export function refuse(session: Session, effects: Effects): void {
  effects.error(session.texts.credentials, "AUTH");
}

// What the mechanism has to say at the end goes as one more challenge, since +OK carries no data (rule SASL-04).
function conclude(
  { state }: Session,
  exchange: Exchange | undefined,
  verdict: Verdict,
  person: Person | undefined,
  effects: Effects,
): boolean {
  const last = exchange?.concluded?.(verdict);
  if (last === undefined || state.phase !== "authorization") return false;
  state.conclusion = { person };
  effects.text += `+ ${encodeBase64(last)}\r\n`;
  return true;
}
