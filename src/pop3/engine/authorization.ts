import type { Credentials } from "../../auth/engine/credentials.ts";
import { decodePart } from "../../auth/engine/part.ts";
import { Secret } from "../../lib/secret.ts";
import type { Effects } from "./effects.ts";
import { close } from "./quit.ts";
import { maySendPassword, type Authorization, type Session } from "./session.ts";
import { texts } from "./texts.ts";

// So many wrong commands before a login are no client's (rule 1939-03 is for clients).
const BAD_COMMANDS = 20;
const PRINTABLE_ASCII = /^[\x20-\x7e]*$/;
const CONTROLS = /\p{Cc}/u;

/** USER: any name is taken, so that none can be found out by it (rule 1939-19). */
export function user(session: Session, state: Authorization, [given = ""]: readonly string[], effects: Effects): void {
  state.user = undefined;
  // Refused before the password is on the wire (rule TLS-04). No code: no credential was judged (rule 3206-01).
  if (!maySendPassword(session)) return bad(session, state, effects, texts.needsTls);
  const name = decodeText(given);
  if (name === undefined || name.trim() === "" || CONTROLS.test(name))
    return bad(session, state, effects, texts.badName);
  state.user = name;
  effects.ok(texts.sendPassword);
}

/** PASS: takes the rest of the line, spaces at either end included, right after a successful USER (rule 1939-19). */
export function pass(session: Session, state: Authorization, [given = ""]: readonly string[], effects: Effects): void {
  if (!maySendPassword(session)) return bad(session, state, effects, texts.passwordExposed);
  const name = state.user;
  if (name === undefined) return bad(session, state, effects, texts.userFirst);
  state.user = undefined;
  const password = decodeText(given);
  // Nobody has such a password, so nobody need be asked.
  if (password === undefined || password === "") return effects.error(texts.credentials, "AUTH");
  judge(session, { mechanism: "USER", user: name, password: new Secret(password) }, effects);
}

/** STLS (RFC 2595 §4): valid once, before the login (rule TLS-01). */
export function stls(session: Session, state: Authorization, _: readonly string[], effects: Effects): void {
  if (session.tls) return bad(session, state, effects, texts.tlsActive);
  if (!session.policy.stlsPossible) return bad(session, state, effects, texts.noTls);
  session.awaited = { kind: "upgrade" };
  effects.action = { kind: "upgrade" };
}

/** Has credentials judged. */
export function judge(session: Session, credentials: Credentials, effects: Effects): void {
  session.awaited = { kind: "login" };
  effects.action = { kind: "login", credentials };
}

/** Refuses what a client that knows the protocol does not send; too much of it before a login is the end. */
export function bad(session: Session, state: Authorization, effects: Effects, text: string): void {
  state.badCommands += 1;
  if (state.badCommands < BAD_COMMANDS) return effects.error(text);
  effects.error(texts.tooManyBad);
  close(session, effects);
}

// A line comes as latin1; what is not ASCII in it is to be UTF-8 (RFC 6856 §3).
function decodeText(latin1: string): string | undefined {
  return PRINTABLE_ASCII.test(latin1) ? latin1 : decodePart(Buffer.from(latin1, "latin1"));
}
