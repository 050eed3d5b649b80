import type { Listing } from "../../model/listing.ts";
import type { Effects } from "./effects.ts";
import { ListingText, octetsOf, uidlOf } from "./listing-text.ts";
import type { Maildrop, NotFound } from "./maildrop.ts";
import type { Session, Transaction } from "./session.ts";
import type { Texts } from "./texts/en.ts";

type Words = readonly string[];

const notFound: Readonly<Record<NotFound, keyof Texts>> = {
  "bad-number": "badNumber",
  "no-such-message": "noSuchMessage",
  deleted: "deleted",
};

/** STAT: what is not marked deleted (rule 1939-08); needs no listing. */
export function stat(_: Session, { drop }: Transaction, __: Words, effects: Effects): void {
  effects.ok(`${drop.left} ${drop.octetsLeft}`);
}

/** LIST, of one message or of all (rule 1939-09). */
export function list(session: Session, { drop }: Transaction, words: Words, effects: Effects): void {
  lines(session, drop, words, octetsOf, effects);
}

/** UIDL, of one message or of all. */
export function uidl(session: Session, { drop }: Transaction, words: Words, effects: Effects): void {
  lines(session, drop, words, uidlOf, effects);
}

function lines(
  session: Session,
  drop: Maildrop,
  [number]: Words,
  lineOf: (listing: Listing, index: number) => string,
  effects: Effects,
): void {
  if (number !== undefined) {
    const found = drop.find(number);
    if (!found.ok) return effects.error(session.texts[notFound[found.error]]);
    return effects.ok(`${found.value + 1} ${lineOf(drop.listing, found.value)}`);
  }
  effects.ok(`${drop.left} ${session.texts.messages}`);
  const text = new ListingText(drop, lineOf);
  effects.text += text.next();
  if (text.done) return;
  session.awaited = { kind: "listed" };
  effects.action = { kind: "list", text };
}

/** RETR: not a delivery, so nothing is ever marked by it (rule 1939-17). */
export function retr(session: Session, { drop }: Transaction, [number = ""]: Words, effects: Effects): void {
  const found = drop.find(number);
  if (!found.ok) return effects.error(session.texts[notFound[found.error]]);
  const index = found.value;
  session.awaited = { kind: "sent", index, whole: true };
  // The figure is LIST's (rule 1939-10).
  const head = `+OK ${drop.octets(index)} ${session.texts.octets}\r\n`;
  effects.action = { kind: "send", uid: drop.uid(index), head, lines: undefined };
}

/** TOP: both arguments are required (rule 1939-13). */
export function top(session: Session, { drop }: Transaction, [number = "", count = ""]: Words, effects: Effects): void {
  const found = drop.find(number);
  if (!found.ok) return effects.error(session.texts[notFound[found.error]]);
  // No body has as many lines as the largest number that can be told apart: more is all of it.
  if (!/^[0-9]+$/.test(count)) return effects.error(session.texts.badArguments);
  session.awaited = { kind: "sent", index: found.value, whole: false };
  effects.action = {
    kind: "send",
    uid: drop.uid(found.value),
    head: "+OK\r\n",
    lines: Math.min(Number(count), Number.MAX_SAFE_INTEGER),
  };
}

/** DELE: a second one of the same message is an error (rule 1939-14). */
export function dele(session: Session, { drop, person }: Transaction, [number = ""]: Words, effects: Effects): void {
  if (person.noDelete) return effects.error(session.personal.noDelete);
  const found = drop.find(number);
  if (!found.ok) return effects.error(session.texts[notFound[found.error]]);
  if (drop.mark(found.value)) effects.ok(session.texts.marked);
  else effects.error(session.personal.barred);
}

/** NOOP, which RFC 1939 knows in TRANSACTION only (rule 1939-04). */
export function noop(_: Session, __: Transaction, ___: Words, effects: Effects): void {
  effects.ok("");
}

/** RSET (rule 1939-15). */
export function rset(_: Session, { drop }: Transaction, __: Words, effects: Effects): void {
  drop.reset();
  effects.ok("");
}
