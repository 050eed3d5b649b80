import { err, ok, type Result } from "../../lib/result.ts";
import { Secret } from "../../lib/secret.ts";
import { argon2 } from "./argon2.ts";
import { bcrypt } from "./bcrypt.ts";
import { plainDigest, saltedDigest } from "./digest.ts";
import { md5Crypt } from "./md5-crypt.ts";
import { dovecotPbkdf2 } from "./pbkdf2.ts";
import { type Check, decode, type Encoding, type Scheme } from "./scheme.ts";
import { scram } from "./scram.ts";
import { sha256Crypt, sha512Crypt } from "./sha-crypt.ts";

/** What an imported secret is: a hash that is stored as it is, or a password still to be hashed. */
export type ImportedSecret =
  | { readonly kind: "hash"; readonly scheme: string; readonly stored: string }
  | { readonly kind: "password"; readonly password: Secret };

/** Why a secret cannot be used, in words for the operator; the secret itself is never in them (P7). */
export type SecretProblem = {
  readonly code:
    "empty" | "too-long" | "control-characters" | "unknown-scheme" | "refused-scheme" | "malformed" | "too-costly";
  readonly words: string;
};

const MOST_CHARACTERS = 4096;
const CLEAR = new Set(["PLAIN", "CLEAR", "CLEARTEXT"]);
const PREFIX = /^\$[a-z0-9]{1,8}\$/;
const TAG = /^\{([A-Za-z0-9-]{1,32})(?:\.(b64|base64|hex))?\}/i;

/** Crypt strings say by their beginning what they are; also `{CRYPT}` and a secret without any `{SCHEME}` do. */
const byPrefix: ReadonlyMap<string, Scheme> = new Map([
  ["$1$", md5Crypt],
  ["$2a$", bcrypt],
  ["$2b$", bcrypt],
  ["$2y$", bcrypt],
  ["$5$", sha256Crypt],
  ["$6$", sha512Crypt],
  ["$argon2i$", argon2],
  ["$argon2id$", argon2],
]);

const byName: ReadonlyMap<string, Scheme> = new Map<string, Scheme>([
  ["ARGON2ID", argon2],
  ["ARGON2I", argon2],
  ["BLF-CRYPT", bcrypt],
  ["SHA512-CRYPT", sha512Crypt],
  ["SHA256-CRYPT", sha256Crypt],
  ["MD5-CRYPT", md5Crypt],
  // Dovecot takes both kinds under this name.
  ["MD5", (body, encoding) => (body.startsWith("$") ? md5Crypt : plainDigest("md5"))(body, encoding)],
  ["SSHA512", saltedDigest("sha512")],
  ["SSHA256", saltedDigest("sha256")],
  ["SSHA", saltedDigest("sha1")],
  ["SMD5", saltedDigest("md5")],
  ["SHA512", plainDigest("sha512")],
  ["SHA256", plainDigest("sha256")],
  ["SHA", plainDigest("sha1")],
  ["SHA1", plainDigest("sha1")],
  ["PLAIN-MD5", plainDigest("md5")],
  ["LDAP-MD5", plainDigest("md5")],
  ["PBKDF2", dovecotPbkdf2],
  ["SCRAM-SHA-256", scram("sha256")],
  ["SCRAM-SHA-1", scram("sha1")],
]);

const DES = "DES crypt looks at eight characters only and is broken in hours: set a new password";
const KEPT_FOR_ONE_MECHANISM =
  "belongs to one login mechanism that is not offered here, and no password can be checked by it";

const refused: ReadonlyMap<string, string> = new Map([
  ["DES-CRYPT", DES],
  ["CRAM-MD5", KEPT_FOR_ONE_MECHANISM],
  ["HMAC-MD5", KEPT_FOR_ONE_MECHANISM],
  ["DIGEST-MD5", KEPT_FOR_ONE_MECHANISM],
  ["NTLM", KEPT_FOR_ONE_MECHANISM],
  ["LANMAN", KEPT_FOR_ONE_MECHANISM],
  ["RPA", KEPT_FOR_ONE_MECHANISM],
  ["OTP", KEPT_FOR_ONE_MECHANISM],
  ["SKEY", KEPT_FOR_ONE_MECHANISM],
]);

/** Parses the secret of an import line: `{SCHEME}…`, or a crypt string that begins with `$`. */
export function parseSecret(text: string): Result<ImportedSecret, SecretProblem> {
  if (text === "") return problem("empty", "the secret is empty");
  const tag = TAG.exec(text);
  if (tag && CLEAR.has(tag[1]?.toUpperCase() ?? "")) return clearPassword(text.slice(tag[0].length), tag[2]);
  const found = parseStored(text);
  if (!found.ok) return found;
  return ok({ kind: "hash", scheme: tag?.[1]?.toUpperCase() ?? text.split("$")[1] ?? "", stored: text });
}

/** Parses a stored secret for the check of a password. A clear password is never a stored one. */
export function parseStored(stored: string): Result<Check, SecretProblem> {
  if (stored.length > MOST_CHARACTERS) return problem("too-long", `more than ${MOST_CHARACTERS} characters`);
  const tag = TAG.exec(stored);
  const name = tag?.[1]?.toUpperCase() ?? "CRYPT";
  const body = stored.slice(tag?.[0].length ?? 0);
  const reason = refused.get(name);
  if (reason !== undefined) return problem("refused-scheme", `{${name}} ${reason}`);
  if (body === "") return problem("empty", "nothing stands behind the scheme");
  const scheme = name === "CRYPT" ? cryptScheme(body, tag !== null) : namedScheme(name);
  if (!scheme.ok) return scheme;
  const check = scheme.value(body, encodingOf(tag?.[2]));
  if (check.ok) return check;
  return check.error === "malformed"
    ? problem("malformed", `not a ${label(name, body)} hash`)
    : problem(
        "too-costly",
        `this ${label(name, body)} hash asks for more work than a login may cost: set a new password`,
      );
}

function cryptScheme(body: string, tagged: boolean): Result<Scheme, SecretProblem> {
  const prefix = PREFIX.exec(body)?.[0] ?? "";
  const scheme = byPrefix.get(prefix);
  if (scheme) return ok(scheme);
  if (prefix === "$y$") return problem("unknown-scheme", "yescrypt ($y$) is not known here: set a new password");
  if (/^[./0-9A-Za-z]{13}$/.test(body) || /^_[./0-9A-Za-z]{19}$/.test(body)) return problem("refused-scheme", DES);
  // What is not known may be a clear password: nothing of it may be repeated.
  if (prefix !== "")
    return problem("unknown-scheme", "this crypt string is of a kind not known here: set a new password");
  return tagged
    ? problem("malformed", "not a {CRYPT} hash")
    : problem("unknown-scheme", "no scheme is named: write {PLAIN} in front of a clear password");
}

function namedScheme(name: string): Result<Scheme, SecretProblem> {
  const scheme = byName.get(name);
  return scheme ? ok(scheme) : problem("unknown-scheme", "the scheme in braces is not known here: set a new password");
}

function encodingOf(suffix: string | undefined): Encoding {
  if (suffix === undefined) return "own";
  return suffix.toLowerCase() === "hex" ? "hex" : "base64";
}

function label(name: string, body: string): string {
  return name === "CRYPT" ? (PREFIX.exec(body)?.[0] ?? "{CRYPT}") : `{${name}}`;
}

function clearPassword(body: string, suffix: string | undefined): Result<ImportedSecret, SecretProblem> {
  const encoding = encodingOf(suffix);
  const octets = encoding === "own" ? Buffer.from(body, "utf8") : decode(body, encoding);
  if (!octets) return problem("malformed", "the encoding of the password is not what its scheme says");
  return ok({ kind: "password", password: new Secret(octets.toString("utf8")) });
}

function problem(code: SecretProblem["code"], words: string): { readonly ok: false; readonly error: SecretProblem } {
  return err({ code, words });
}
