import { createHash, createHmac, pbkdf2Sync, timingSafeEqual } from "node:crypto";
import type { Credentials } from "../../auth/engine/credentials.ts";
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
function proven({
  user,
  hash,
  message,
  proof,
}: Extract<Credentials, { kind: "scram" }>): { readonly serverSignature: Uint8Array } | undefined {
  const { salt, iterations } = scramFacts;
  const octets = hash === "sha1" ? 20 : 32;
  const hmac = (key: Uint8Array, text: Uint8Array | string) => createHmac(hash, key).update(text).digest();
  const salted = pbkdf2Sync((PASSWORDS.get(user) ?? "").normalize("NFKC"), salt, iterations, octets, hash);
  const storedKey = createHash(hash).update(hmac(salted, "Client Key")).digest();
  const signature = hmac(storedKey, message);
  const clientKey = Uint8Array.from(proof, (octet, index) => octet ^ (signature[index] ?? 0));
  const right = timingSafeEqual(createHash(hash).update(clientKey).digest(), storedKey);
  if (!right || !PASSWORDS.has(user)) return undefined;
  return { serverSignature: hmac(hmac(salted, "Server Key"), message) };
}
