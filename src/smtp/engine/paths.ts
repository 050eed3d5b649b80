import { isUtf8 } from "node:buffer";
import { err, ok, type Result } from "../../lib/result.ts";

/** The path of MAIL or RCPT, without brackets and source route, and what followed it. */
export type ParsedPath = {
  /** "" is the null path. */
  readonly path: string;
  /** Whether it needs SMTPUTF8 (RFC 6531). */
  readonly international: boolean;
  /** The parameters, not yet parsed. */
  readonly rest: string;
};

/** More than RFC 5321 §4.5.3.1.3 asks for, because senders' addresses with return codes in them are longer. */
const PATH_OCTETS = 512;

/**
 * Takes the path from the argument of MAIL or RCPT, given as latin1 (RFC 5321 §4.1.2). Taken as well, because clients
 * in the field do it: spaces behind the colon, and a path without brackets.
 */
export function parsePath(argument: string, keyword: "FROM:" | "TO:"): Result<ParsedPath, "bad-syntax"> {
  if (argument.slice(0, keyword.length).toUpperCase() !== keyword) return err("bad-syntax");
  const text = argument.slice(keyword.length).trimStart();
  const end = text.startsWith("<") ? closingBracket(text) : firstSpace(text);
  if (end < 0 || end > PATH_OCTETS) return err("bad-syntax");
  const bracketed = text.startsWith("<");
  const rest = text.slice(bracketed ? end + 1 : end);
  if (rest !== "" && !rest.startsWith(" ")) return err("bad-syntax");
  const raw = withoutRoute(bracketed ? text.slice(1, end) : text.slice(0, end));
  if (raw === undefined || (raw === "" && !bracketed)) return err("bad-syntax");
  const octets = Buffer.from(raw, "latin1");
  if (!isUtf8(octets)) return err("bad-syntax");
  const path = octets.toString("utf8");
  return ok({ path, international: path.length !== raw.length, rest: rest.trim() });
}

// An atom as the field writes it: dots may stand in a row or at the ends, as some carriers' addresses have them.
const ATOMS = /^[^\s\p{C}()<>@,;:\\"[\]]+$/u;
const QUOTED = /^"(?:[^\p{C}"\\]|\\[^\p{C}])*"$/u;
const LITERAL = /^\[[\x21-\x5a\x5e-\x7e]+\]$/;
const DOMAIN = /^[^\s\p{C}()<>@,;:\\"[\]]{1,255}$/u;

/** Whether a path is `local@domain`; the domain may be an address literal. It says nothing about who has it. */
export function isMailbox(path: string): boolean {
  const at = path.lastIndexOf("@");
  const local = path.slice(0, Math.max(at, 0));
  const domain = path.slice(at + 1);
  return (ATOMS.test(local) || QUOTED.test(local)) && (DOMAIN.test(domain) || LITERAL.test(domain));
}

/** The index of the bracket that closes a path; one within a quoted local part does not. */
function closingBracket(text: string): number {
  let quoted = false;
  for (let i = 1; i < text.length; i += 1) {
    const letter = text[i];
    if (quoted && letter === "\\") i += 1;
    else if (letter === '"') quoted = !quoted;
    else if (letter === ">" && !quoted) return i;
  }
  return -1;
}

function firstSpace(text: string): number {
  const space = text.indexOf(" ");
  return space < 0 ? text.length : space;
}

/** A source route is taken and not used (RFC 5321 §4.1.1.3). */
function withoutRoute(path: string): string | undefined {
  if (!path.startsWith("@")) return path;
  const colon = path.indexOf(":");
  return colon < 0 ? undefined : path.slice(colon + 1);
}
