import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  hash as digest,
  pbkdf2,
  randomBytes,
  timingSafeEqual,
} from "node:crypto";
import { promisify } from "node:util";
import type { Address } from "../model/address.ts";
import type { ScramHash } from "./engine/credentials.ts";
import type { HouseKeys } from "./secret-key.ts";

/** What a proof is checked against (RFC 5802 §3). */
export type ScramHashKeys = { readonly storedKey: Uint8Array; readonly serverKey: Uint8Array };
/** One password's keys, for each hash. */
export type ScramKeys = Readonly<Record<ScramHash, ScramHashKeys>>;

/**
 * Rounds of PBKDF2, the same for every credential: all of an account share salt and count, since a client is told both
 * before anybody knows which of its passwords it uses. RFC 7677 §4 asks for 4,096 at least.
 */
export const SCRAM_ITERATIONS = 30_000;

const derive = promisify(pbkdf2);
const OCTETS: Readonly<Record<ScramHash, number>> = { sha256: 32, sha1: 20 };
const KEYS_OCTETS = 2 * OCTETS.sha256 + 2 * OCTETS.sha1;

/** Derives the keys of a password. It is work for libuv's pool: its caller bounds how much of it runs at a time. */
export async function deriveScramKeys(password: string, salt: Uint8Array): Promise<ScramKeys> {
  const [sha256, sha1] = [await keysOf("sha256", password, salt), await keysOf("sha1", password, salt)];
  return { sha256, sha1 };
}

async function keysOf(hash: ScramHash, password: string, salt: Uint8Array): Promise<ScramHashKeys> {
  const salted = await derive(password, salt, SCRAM_ITERATIONS, OCTETS[hash], hash);
  const storedKey = digest(hash, hmac(hash, salted, "Client Key"), "buffer");
  return { storedKey, serverKey: hmac(hash, salted, "Server Key") };
}

/** Checks a client's proof; where it is right, gives the ServerSignature by which the client knows the server. */
export function checkProof(
  keys: ScramHashKeys,
  hash: ScramHash,
  message: Uint8Array,
  proof: Uint8Array,
): Uint8Array | undefined {
  const signature = hmac(hash, keys.storedKey, message);
  if (proof.length !== signature.length) return undefined;
  const clientKey = signature.map((octet, index) => octet ^ (proof[index] ?? 0));
  if (!timingSafeEqual(digest(hash, clientKey, "buffer"), keys.storedKey)) return undefined;
  return hmac(hash, keys.serverKey, message);
}

/** Seals and opens SCRAM keys, so that whoever has the database alone can neither test a password nor play the server. */
export type ScramSeal = {
  seal(keys: readonly ScramKeys[], owner: string): Uint8Array;
  /** undefined: it was sealed by other keys, for another owner, or is damaged: an outage, never a wrong password. */
  unseal(sealed: Uint8Array, owner: string): readonly ScramKeys[] | undefined;
  /** Whether it says of itself that it was sealed here; only `unseal` knows. */
  isOurs(sealed: Uint8Array): boolean;
};

/** To whom an account's own keys are bound. */
export function ownerOf(address: Address): string {
  return `account ${address}`;
}

/** To which app password of an account keys are bound: they are of no use in another row. */
export function ownerOfAppPassword(address: Address, passwordDigest: Uint8Array): string {
  return `app password ${Buffer.from(passwordDigest).toString("hex")} of ${address}`;
}

// version (1), key id (4), nonce (12), sealed keys, tag (16). The version speaks for SCRAM_ITERATIONS too.
const VERSION = 1;
const HEAD_OCTETS = 5;
const NONCE_OCTETS = 12;
const TAG_OCTETS = 16;

/** Makes the seal of a house's keys. */
export function createScramSeal({ scramSeal, id }: Pick<HouseKeys, "scramSeal" | "id">): ScramSeal {
  const head = Buffer.concat([Buffer.of(VERSION), id]);
  const isOurs = (sealed: Uint8Array): boolean => head.equals(sealed.subarray(0, HEAD_OCTETS));
  return {
    isOurs,
    seal(keys, owner) {
      const nonce = randomBytes(NONCE_OCTETS);
      const cipher = createCipheriv("aes-256-gcm", scramSeal, nonce).setAAD(boundTo(head, owner));
      const sealed = Buffer.concat([cipher.update(pack(keys)), cipher.final()]);
      return Buffer.concat([head, nonce, sealed, cipher.getAuthTag()]);
    },
    unseal(sealed, owner) {
      const octets = sealed.length - HEAD_OCTETS - NONCE_OCTETS - TAG_OCTETS;
      if (!isOurs(sealed) || octets <= 0 || octets % KEYS_OCTETS !== 0) return undefined;
      const nonce = sealed.subarray(HEAD_OCTETS, HEAD_OCTETS + NONCE_OCTETS);
      const decipher = createDecipheriv("aes-256-gcm", scramSeal, nonce, { authTagLength: TAG_OCTETS });
      decipher.setAAD(boundTo(head, owner)).setAuthTag(sealed.subarray(sealed.length - TAG_OCTETS));
      const opened = decipher.update(sealed.subarray(HEAD_OCTETS + NONCE_OCTETS, sealed.length - TAG_OCTETS));
      try {
        decipher.final();
      } catch {
        // The library's way to say that the tag does not fit: the caller decides what that means.
        return undefined;
      }
      return unpack(opened);
    },
  };
}

function boundTo(head: Uint8Array, owner: string): Buffer {
  return Buffer.concat([head, Buffer.from(`mailkeep scram ${owner}`, "utf8")]);
}

function pack(keys: readonly ScramKeys[]): Buffer {
  return Buffer.concat(
    keys.flatMap(({ sha256, sha1 }) => [sha256.storedKey, sha256.serverKey, sha1.storedKey, sha1.serverKey]),
  );
}

function unpack(octets: Uint8Array): readonly ScramKeys[] {
  return Array.from({ length: octets.length / KEYS_OCTETS }, (_, index) => {
    let at = index * KEYS_OCTETS;
    const next = (length: number): Uint8Array => octets.subarray(at, (at += length));
    return {
      sha256: { storedKey: next(OCTETS.sha256), serverKey: next(OCTETS.sha256) },
      sha1: { storedKey: next(OCTETS.sha1), serverKey: next(OCTETS.sha1) },
    };
  });
}

function hmac(hash: ScramHash, key: Uint8Array, message: Uint8Array | string): Buffer {
  return createHmac(hash, key).update(message).digest();
}
