import { decodePart } from "../../auth/engine/part.ts";
import { Secret } from "../../lib/secret.ts";
import type { Effects } from "./effects.ts";
import { judge, refuse } from "./login.ts";
import { close } from "./quit.ts";
import { maySendPassword, type Authorization, type Session } from "./session.ts";

type Words = readonly string[];

// So many wrong commands before a login are no client's (rule 1939-03 is for clients).
const BAD_COMMANDS = 20;
const PRINTABLE_ASCII = /^[\x20-\x7e]*$/;
const CONTROLS = /\p{Cc}/u;

/** USER: any name is taken, so that none can be found out by it (rule 1939-19). */
export function user(session: Session, state: Authorization, [given = ""]: Words, effects: Effects): void {
  const { texts } = session;
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
export function pass(session: Session, state: Authorization, [given = ""]: Words, effects: Effects): void {
  const { texts } = session;
  if (!maySendPassword(session)) return bad(session, state, effects, texts.passwordExposed);
  const name = state.user;
  if (name === undefined) return bad(session, state, effects, texts.userFirst);
  state.user = undefined;
  const password = decodeText(given);
  // Nobody has such a password, so nobody need be asked.
  if (password === undefined || password === "") return refuse(session, effects);
  const credentials = { kind: "password", mechanism: "USER", user: name, password: new Secret(password) } as const;
  judge(session, credentials, undefined, effects);
}

/** APOP: optional (RFC 1939 §7), and told apart from a typing mistake, since some clients try it unasked (rule 1939-20). */
export function apop(session: Session, state: Authorization, _: Words, effects: Effects): void {
  bad(session, state, effects, session.texts.readableSecrets);
}

/** STLS (RFC 2595 §4): valid once, before the login (rule TLS-01). After UTF8 too, which it undoes (RFC 6856 §2.1). */
export function stls(session: Session, state: Authorization, _: Words, effects: Effects): void {
  if (session.channel.secure) return bad(session, state, effects, session.texts.tlsActive);
  if (!session.policy.stlsPossible) return bad(session, state, effects, session.texts.noTls);
  session.awaited = { kind: "upgrade" };
  effects.action = { kind: "upgrade" };
}

/** UTF8 (RFC 6856 §2.1): valid here alone, since sizes were told by the open (rule 6856-01). */
export function utf8(session: Session, _: Authorization, __: Words, effects: Effects): void {
  session.utf8 = true;
  effects.ok(session.texts.utf8);
}

/** Refuses what a client that knows the protocol does not send; too much of it before a login is the end. */
export function bad(session: Session, state: Authorization, effects: Effects, text: string): void {
  state.badCommands += 1;
  if (state.badCommands < BAD_COMMANDS) return effects.error(text);
  effects.error(session.texts.tooManyBad);
  close(session, effects);
}

// A line comes as latin1; what is not ASCII in it is to be UTF-8 (RFC 6856 §2.2), said before UTF8 or after it.
function decodeText(latin1: string): string | undefined {
  return PRINTABLE_ASCII.test(latin1) ? latin1 : decodePart(Buffer.from(latin1, "latin1"));
}
