import { domainToASCII } from "node:url";
import type { Brand } from "../lib/brand.ts";
import { err, ok, type Result } from "../lib/result.ts";

/** A domain in the form that is compared and stored: lower-case A-labels, no trailing dot. */
export type Domain = Brand<string, "Domain">;
/** `local@domain`, the local part in NFC and lower case, the domain as a Domain; 254 octets at most. */
export type Address = Brand<string, "Address">;

/** An address taken apart: `base` has no `+tag`. Both are complete addresses; `tag` is "" where there is none. */
export type AddressParts = {
  readonly address: Address;
  readonly base: Address;
  readonly domain: Domain;
  readonly tag: string;
};

const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;
const ASCII_NAME = /^[a-z0-9_.-]+$/;
// What a name in another script may hold before it becomes A-labels; the full stops are those of RFC 3490 §3.1. The
// conversion is a URL parser's: it would cut a host at "/", "?" or "#" and decode "%", so nothing else reaches it.
const UNICODE_NAME = /^[\p{L}\p{N}\p{M}_.\u3002\uff0e\uff61-]+$/u;

/** Parses a domain name; an address literal (`[192.0.2.1]`) is none. */
export function parseDomain(text: string): Result<Domain, "bad-domain"> {
  if (text.length > 255) return err("bad-domain");
  const lower = text.toLowerCase().replace(/\.$/, "");
  const ascii = ASCII_NAME.test(lower) ? lower : fromUnicode(lower);
  const labels = ascii.split(".");
  // A last label of digits alone is the end of an IP address (RFC 3696 §2).
  if (ascii.length > 253 || /^\d+$/.test(labels.at(-1) ?? "")) return err("bad-domain");
  return labels.every((label) => LABEL.test(label)) ? ok(ascii as Domain) : err("bad-domain");
}

function fromUnicode(text: string): string {
  const name = text.normalize("NFC");
  return UNICODE_NAME.test(name) ? domainToASCII(name).replace(/\.$/, "") : "";
}

// atext of RFC 5321 §4.1.2, with UTF-8 as RFC 6531 §3.3 adds it; dots only between atoms. A quoted local part is
// taken when its content would have been a plain one: nothing else can name an account here.
const LOCAL = /^[^\s\p{C}()<>@,;:\\".[\]]+(?:\.[^\s\p{C}()<>@,;:\\".[\]]+)*$/u;

/** Parses an address as a person or a peer writes it (RFC 5321 §4.1.2, RFC 6531 §3.3). */
export function parseAddress(text: string): Result<Address, "bad-address"> {
  const at = text.lastIndexOf("@");
  if (at < 1) return err("bad-address");
  const local = parseLocal(text.slice(0, at));
  const domain = parseDomain(text.slice(at + 1));
  if (local === undefined || !domain.ok) return err("bad-address");
  const address = `${local}@${domain.value}`;
  return Buffer.byteLength(address) <= 254 ? ok(address as Address) : err("bad-address");
}

function parseLocal(text: string): string | undefined {
  const quoted = /^"((?:[^"\\]|\\.)*)"$/u.exec(text);
  const written = quoted ? (quoted[1] ?? "").replace(/\\(.)/gu, "$1") : text;
  // Twice: some letters have a composed form in lower case only (T with diaeresis).
  const plain = written.normalize("NFC").toLowerCase().normalize("NFC");
  return Buffer.byteLength(plain) <= 64 && LOCAL.test(plain) ? plain : undefined;
}

/** Takes an address apart at its `@` and at the first `+` of its local part. */
export function splitAddress(address: Address): AddressParts {
  const at = address.lastIndexOf("@");
  const plus = address.indexOf("+");
  const domain = address.slice(at + 1) as Domain;
  if (plus < 1 || plus > at) return { address, base: address, domain, tag: "" };
  return {
    address,
    base: `${address.slice(0, plus)}@${domain}` as Address,
    domain,
    tag: address.slice(plus + 1, at),
  };
}
