import { isUtf8 } from "node:buffer";
import { createHash, createHmac, pbkdf2Sync, timingSafeEqual } from "node:crypto";

/*
 * SASL, written a second time from the RFCs and from the house's rules (POP3-RULES, SASL-01 to OAUTH-01), slowly and without
 * a look at src/auth/engine, so that both can be held against each other.
 */

/** What somebody claims at the end of an exchange. */
export type Claim =
  | { readonly kind: "password"; readonly user: string; readonly password: string }
  | { readonly kind: "token"; readonly user: string; readonly token: string }
  | { readonly kind: "certificate"; readonly user: string }
  | {
      readonly kind: "scram";
      readonly user: string;
      readonly hash: ScramName;
      readonly message: Buffer;
      readonly proof: Buffer;
      readonly salt: Buffer;
      readonly iterations: number;
    };

/** `facts`: the server has to be told salt and nonce, and its challenge holds them. */
export type Expected =
  | { readonly kind: "challenge"; readonly octets?: string }
  | { readonly kind: "facts" }
  | Claim
  | { readonly kind: "failed" };

export type ScramName = "sha1" | "sha256";

/** One exchange as it has to be; messages are octets in latin1. */
export type Reference = {
  /** undefined: AUTH came without an initial response. */
  begin(initial: string | undefined): Expected;
  next(message: string): Expected;
  /** The challenge that the server has made of its facts; what is wrong with it, or undefined. */
  told?(challenge: string): string | undefined;
};

/** What a connection can be bound to: the data of a binding type, latin1. */
export type Bindings = ReadonlyMap<string, string>;

const FAILED: Expected = { kind: "failed" };

/** Strict base64 (RFC 4648 §4); undefined: it is none. */
export function fromBase64(text: string): string | undefined {
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text)) return undefined;
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  let [bits, count, octets] = [0, 0, ""];
  for (const letter of text.replaceAll("=", "")) {
    bits = (bits << 6) | alphabet.indexOf(letter);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    octets += String.fromCharCode((bits >> count) & 0xff);
    bits &= (1 << count) - 1;
  }
  return bits === 0 ? octets : undefined;
}

/** The reference of a mechanism; undefined: there is none of that name. */
export function referenceOf(name: string, bindings: Bindings, plusOffered: boolean): Reference | undefined {
  switch (name) {
    case "PLAIN":
      return oneMessage(plain);
    case "EXTERNAL":
      return oneMessage(external);
    case "OAUTHBEARER":
      return bearer(oauthbearer);
    case "XOAUTH2":
      return bearer(xoauth2);
    case "LOGIN":
      return login();
    default: {
      const [, hash, plus] = /^SCRAM-SHA-(1|256)(-PLUS)?$/.exec(name) ?? [];
      if (hash === undefined) return undefined;
      return new Scram(hash === "1" ? "sha1" : "sha256", plus === undefined ? undefined : bindings, plusOffered);
    }
  }
}

/** Mechanisms by name, whether usable or not. */
export const MECHANISMS: readonly string[] = [
  "EXTERNAL",
  "SCRAM-SHA-256-PLUS",
  "SCRAM-SHA-1-PLUS",
  "SCRAM-SHA-256",
  "SCRAM-SHA-1",
  "PLAIN",
  "LOGIN",
  "OAUTHBEARER",
  "XOAUTH2",
];

function oneMessage(read: (message: string) => Expected): Reference {
  return {
    begin: (initial) => (initial === undefined ? { kind: "challenge", octets: "" } : read(initial)),
    next: read,
  };
}

// RFC 4616 §2, rule SASL-05.
function plain(message: string): Expected {
  const parts = message.split("\0").map(textOf);
  const [acting, user, password] = parts;
  if (parts.length !== 3 || acting === undefined || user === undefined || password === undefined) return FAILED;
  if (user === "" || password === "" || (acting !== "" && acting !== user)) return FAILED;
  return { kind: "password", user, password };
}

// RFC 4422 appendix A.
function external(message: string): Expected {
  const user = textOf(message);
  return user === undefined || user.includes("\0") ? FAILED : { kind: "certificate", user };
}

function login(): Reference {
  let user: string | undefined;
  let asked = false;
  const next = (message: string): Expected => {
    if (message.includes("\0")) return FAILED;
    if (user === undefined) {
      if (message === "" && asked) return FAILED;
      if (message === "") {
        asked = true;
        return { kind: "challenge", octets: "Username:" };
      }
      user = message;
      return { kind: "challenge", octets: "Password:" };
    }
    const [name, password] = [textOf(user), textOf(message)];
    if (name === undefined || password === undefined || password === "") return FAILED;
    return { kind: "password", user: name, password };
  };
  return { begin: (initial) => next(initial ?? ""), next };
}

// RFC 7628 §3.1; RFC 5801 §4 for the header.
function oauthbearer(message: string): { user: string; auth: string | undefined } | undefined {
  const place = message.indexOf("\x01");
  const [flag = "", authzid = "", nothing, more] = message.slice(0, Math.max(0, place)).split(",");
  if (place < 0 || (flag !== "n" && flag !== "y") || nothing !== "" || more !== undefined) return undefined;
  const named = authzid === "" ? "" : authzid.startsWith("a=") ? saslName(authzid.slice(2)) : undefined;
  const user = named === undefined ? undefined : textOf(named);
  const pairs = pairsOf(message.slice(place + 1));
  if (user === undefined || user.includes("\0") || pairs === undefined) return undefined;
  return { user, auth: pairs.get("auth") };
}

function xoauth2(message: string): { user: string; auth: string | undefined } | undefined {
  const [first = ""] = message.split("\x01", 1);
  const user = first.startsWith("user=") ? textOf(first.slice(5)) : undefined;
  const pairs = message.includes("\x01") ? pairsOf(message.slice(first.length + 1)) : undefined;
  if (user === undefined || user === "" || user.includes("\0") || pairs === undefined) return undefined;
  return { user, auth: pairs.get("auth") };
}

function bearer(read: (message: string) => { user: string; auth: string | undefined } | undefined): Reference {
  let told = false;
  const next = (message: string): Expected => {
    if (told) return FAILED;
    const found = read(message);
    if (found === undefined) return FAILED;
    const [scheme = "", token = "", ...rest] = (found.auth ?? "").split(" ");
    const isToken = /^[A-Za-z0-9\-._~+/]+=*$/.test(token) && token.length <= 16_384;
    if (scheme.toLowerCase() !== "bearer" || rest.length > 0 || !isToken) {
      told = true;
      return { kind: "challenge" };
    }
    return { kind: "token", user: found.user, token };
  };
  return { begin: (initial) => (initial === undefined ? { kind: "challenge", octets: "" } : next(initial)), next };
}

// key "=" value kvsep, any number of them, and one more kvsep; a key twice is nobody's.
function pairsOf(text: string): Map<string, string> | undefined {
  const pairs = new Map<string, string>();
  let rest = text;
  while (rest !== "\x01") {
    const [, key, value] = /^([A-Za-z]+)=([\t\r\n -~]*)\x01/.exec(rest) ?? []; // oxlint-disable-line eslint/no-control-regex
    if (key === undefined || value === undefined || pairs.has(key)) return undefined;
    pairs.set(key, value);
    rest = rest.slice(key.length + value.length + 2);
  }
  return pairs;
}

type Told = { readonly text: string; readonly nonce: string; readonly salt: Buffer; readonly iterations: number };

// RFC 5802 §5 to §7.
class Scram implements Reference {
  readonly #hash: ScramName;
  readonly #bindings: Bindings | undefined;
  readonly #plusOffered: boolean;
  #user = "";
  #header = "";
  #bare = "";
  #nonce = "";
  #bound = "";
  #challenge: Told | undefined;

  constructor(hash: ScramName, bindings: Bindings | undefined, plusOffered: boolean) {
    this.#hash = hash;
    this.#bindings = bindings;
    this.#plusOffered = plusOffered;
  }

  begin(initial: string | undefined): Expected {
    return initial === undefined ? { kind: "challenge", octets: "" } : this.next(initial);
  }

  next(message: string): Expected {
    if (message.length > 4096 || message.includes("\0") || !isUtf8(Buffer.from(message, "latin1"))) return FAILED;
    return this.#challenge === undefined ? this.#first(message) : this.#final(message, this.#challenge);
  }

  told(challenge: string): string | undefined {
    const [r = "", s = "", i = "", ...rest] = challenge.split(",");
    const salt = s.startsWith("s=") ? fromBase64(s.slice(2)) : undefined;
    const iterations = /^i=([1-9]\d*)$/.exec(i)?.[1];
    if (!r.startsWith(`r=${this.#nonce}`) || r.length < 2 + this.#nonce.length + 16) return "the server adds no nonce";
    if (salt === undefined || salt.length < 8 || rest.length > 0) return "no salt";
    if (Number(iterations) < 4096) return "too few iterations";
    const octets = Buffer.from(salt, "latin1");
    this.#challenge = { text: challenge, nonce: r.slice(2), salt: octets, iterations: Number(iterations) };
    return undefined;
  }

  #first(message: string): Expected {
    const [flag = "", authzid = "", ...attributes] = message.split(",");
    const [n = "", r = "", ...extensions] = attributes;
    this.#header = `${flag},${authzid},`;
    this.#bare = message.slice(this.#header.length);
    const bound = this.#boundTo(flag);
    const user = n.startsWith("n=") ? saslName(n.slice(2)) : undefined;
    const acting = authzid === "" ? user : authzid.startsWith("a=") ? saslName(authzid.slice(2)) : undefined;
    if (bound === undefined || user === undefined || user === "" || acting !== user || user.length > 255) return FAILED;
    if (!/^r=[!-+\--~]{1,1024}$/.test(r) || !extensions.every(mayStand)) return FAILED;
    this.#bound = bound;
    this.#nonce = r.slice(2);
    this.#user = Buffer.from(user, "latin1").toString();
    return { kind: "facts" };
  }

  // What c= must hold behind the header; undefined: this flag may not be.
  #boundTo(flag: string): string | undefined {
    if (this.#bindings === undefined) return flag === "n" || (flag === "y" && !this.#plusOffered) ? "" : undefined;
    return flag.startsWith("p=") ? this.#bindings.get(flag.slice(2)) : undefined;
  }

  #final(message: string, challenge: Told): Expected {
    const attributes = message.split(",");
    const p = attributes.pop() ?? "";
    const [c = "", r = "", ...extensions] = attributes;
    const proof = p.startsWith("p=") ? fromBase64(p.slice(2)) : undefined;
    const right = c === `c=${Buffer.from(this.#header + this.#bound, "latin1").toString("base64")}`;
    if (proof?.length !== (this.#hash === "sha1" ? 20 : 32) || !right) return FAILED;
    if (r !== `r=${challenge.nonce}` || !extensions.every(mayStand)) return FAILED;
    return {
      kind: "scram",
      user: this.#user,
      hash: this.#hash,
      message: Buffer.from(`${this.#bare},${challenge.text},${attributes.join(",")}`, "latin1"),
      proof: Buffer.from(proof, "latin1"),
      salt: challenge.salt,
      iterations: challenge.iterations,
    };
  }
}

// attr-val of a letter that RFC 5802 §5.1 gives no meaning, which is ignored.
function mayStand(extension: string): boolean {
  return /^[A-Za-z]=[^]+$/.test(extension) && !"acenimprsv".includes(extension[0] ?? "a");
}

function saslName(written: string): string | undefined {
  if (/=(?!2C|3D)/.test(written)) return undefined;
  return written.replaceAll("=2C", ",").replaceAll("=3D", "=");
}

// A name or password: at most 255 octets of UTF-8.
function textOf(octets: string): string | undefined {
  const buffer = Buffer.from(octets, "latin1");
  return buffer.length <= 255 && isUtf8(buffer) ? buffer.toString() : undefined;
}

const keys = new Map<string, { clientKey: Buffer; serverKey: Buffer }>();

/** Checks a proof (RFC 5802 §3); gives what the server signs, or undefined: it is not the proof of this password. */
export function signatureOf(claim: Extract<Claim, { kind: "scram" }>, password: string): string | undefined {
  const { hash, message, proof, salt, iterations } = claim;
  const hmac = (key: Buffer, text: string | Buffer) => createHmac(hash, key).update(text).digest();
  const name = [hash, salt.toString("hex"), iterations, password].join(" ");
  let known = keys.get(name);
  if (known === undefined) {
    const salted = pbkdf2Sync(password, salt, iterations, hash === "sha1" ? 20 : 32, hash);
    known = { clientKey: hmac(salted, "Client Key"), serverKey: hmac(salted, "Server Key") };
    keys.set(name, known);
  }
  const signature = hmac(createHash(hash).update(known.clientKey).digest(), message);
  const right = Buffer.from(known.clientKey.map((octet, at) => octet ^ (signature[at] ?? 0)));
  return timingSafeEqual(right, proof) ? hmac(known.serverKey, message).toString("base64") : undefined;
}
