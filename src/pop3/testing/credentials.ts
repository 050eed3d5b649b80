import { createHash, createHmac, pbkdf2Sync, timingSafeEqual } from "node:crypto";
import type { Credentials, ScramHash } from "../../auth/engine/credentials.ts";
import type { ScramFacts } from "../../auth/engine/mechanism.ts";

const PASSWORDS: ReadonlyMap<string, string> = new Map([
  ["tim", "tanstaaf"],
  ["ann", " two words "],
  ["tím", "pässwörd 密码"],
  // RFC 5802 §5, RFC 7677 §3.
  ["user", "pencil"],
]);
// The longest that is taken has 16 KiB.
const TOKENS = ["dGltcyB0b2tlbg==", "t".repeat(16_384)];

/** What a SCRAM exchange is told, of every name: as in RFC 7677 §3. */
export const scramFacts: ScramFacts = {
  salt: Buffer.from("W22ZaJ0SNY7soEsUEjb6gQ==", "base64"),
  iterations: 4096,
  nonce: "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
};

/** Whether credentials are somebody's here: an honest judge of all kinds; undefined: they are nobody's. */
export function knows(
  credentials: Credentials,
  certificate: boolean,
): { readonly serverSignature?: Uint8Array } | undefined {
  if (credentials.kind === "scram") return proven(credentials);
  return isRight(credentials, certificate) ? {} : undefined;
}

function isRight(credentials: Exclude<Credentials, { kind: "scram" }>, certificate: boolean): boolean {
  const { user } = credentials;
  if (credentials.kind === "password") return PASSWORDS.get(user) === credentials.password.reveal();
  if (user !== "" && user !== "tim") return false;
  return credentials.kind === "token" ? TOKENS.includes(credentials.token.reveal()) : certificate;
}

// RFC 5802 §3, in its own words.
function proven(given: Extract<Credentials, { kind: "scram" }>): { readonly serverSignature: Uint8Array } | undefined {
  const { user, hash, message, proof } = given;
  const { clientKey, storedKey, serverKey } = keysOf(PASSWORDS.get(user) ?? "", hash);
  const right = timingSafeEqual(proof, xor(clientKey, hmac(hash, storedKey, message)));
  return right && PASSWORDS.has(user) ? { serverSignature: hmac(hash, serverKey, message) } : undefined;
}

/** What a client of SCRAM-SHA-256 says: both its messages, and what it then expects to hear. */
export function scramClient(user: string, password: string, gs2Header: string, binding: Uint8Array) {
  const { salt, iterations, nonce } = scramFacts;
  const { clientKey, storedKey, serverKey } = keysOf(password, "sha256");
  const bare = `n=${user},r=client`;
  const challenge = `r=client${nonce},s=${Buffer.from(salt).toString("base64")},i=${iterations}`;
  const bound = Buffer.concat([Buffer.from(gs2Header), binding]).toString("base64");
  const message = `${bare},${challenge},c=${bound},r=client${nonce}`;
  const proof = xor(clientKey, hmac("sha256", storedKey, message)).toString("base64");
  return {
    first: Buffer.from(gs2Header + bare).toString("base64"),
    final: Buffer.from(`c=${bound},r=client${nonce},p=${proof}`).toString("base64"),
    signature: Buffer.from(`v=${hmac("sha256", serverKey, message).toString("base64")}`).toString("base64"),
  };
}

function keysOf(password: string, hash: ScramHash) {
  const { salt, iterations } = scramFacts;
  const salted = pbkdf2Sync(password.normalize("NFKC"), salt, iterations, hash === "sha1" ? 20 : 32, hash);
  const clientKey = hmac(hash, salted, "Client Key");
  return {
    clientKey,
    storedKey: createHash(hash).update(clientKey).digest(),
    serverKey: hmac(hash, salted, "Server Key"),
  };
}

function hmac(hash: ScramHash, key: Uint8Array, text: Uint8Array | string): Buffer {
  return createHmac(hash, key).update(text).digest();
}

function xor(one: Uint8Array, other: Uint8Array): Buffer {
  return Buffer.from(one.map((octet, index) => octet ^ (other[index] ?? 0)));
}
