import { randomBytes } from "node:crypto";
import type { SecureContext } from "node:tls";

// The name that a ticket bears, the key of its HMAC, the key of its AES-128-CBC (RFC 5077 §4).
const PART_OCTETS = 16;
const KEY_OCTETS = 3 * PART_OCTETS;

/** How often the keys are replaced. What a key sealed can be opened until the next time: 12 to 24 hours. */
export const TICKET_ROTATION_MS = 12 * 3_600_000;

/** Keys for session tickets. All threads share them, so that a client may resume on whichever thread it meets. */
export function newTicketKeys(): Uint8Array {
  return new Uint8Array(randomBytes(KEY_OCTETS));
}

/** A new key in front of the one that was newest: tickets of that one are still opened. */
export function rotateTicketKeys(keys: Uint8Array): Uint8Array {
  return new Uint8Array([...randomBytes(KEY_OCTETS), ...keys.subarray(0, KEY_OCTETS)]);
}

/** What `createSecureContext` takes: the newest key only. */
export function newestTicketKey(keys: Uint8Array): Buffer {
  return Buffer.from(keys.subarray(0, KEY_OCTETS));
}

type Answer = readonly [verdict: number, hmac?: Buffer, aes?: Buffer, name?: Buffer, iv?: Buffer];

// What OpenSSL's SSL_CTX_set_tlsext_ticket_key_evp_cb(3) wants to hear.
const UNKNOWN = 0;
const SEALED = 1;
const OPENED_GIVE_ANOTHER = 2;

type NativeContext = {
  enableTicketKeyCallback?(): void;
  onticketkeycallback?: (name: Buffer, iv: Buffer, sealing: boolean) => Answer;
};

/**
 * Lets the context open tickets of the key before the newest, and give a new ticket with each session that is resumed:
 * in TLS 1.3 a careful client uses a ticket once (RFC 8446 §C.4), and Node by itself gives none then, so that every
 * second or third of its handshakes is a full one. Node has this for its own tests only; without it the newest key works alone.
 */
export function keepTicketsFlowing({ context }: SecureContext, keys: Uint8Array): void {
  const native = context as NativeContext;
  if (typeof native.enableTicketKeyCallback !== "function") return;
  const ring = Array.from({ length: Math.floor(keys.length / KEY_OCTETS) }, (_, at) => partsOf(keys, at * KEY_OCTETS));
  const [newest] = ring;
  if (newest === undefined) return;
  native.onticketkeycallback = (name, _iv, sealing) => {
    if (sealing) return [SEALED, newest.hmac, newest.aes, newest.name, randomBytes(PART_OCTETS)];
    const key = ring.find((each) => each.name.equals(name));
    return key === undefined ? NOTHING : [OPENED_GIVE_ANOTHER, key.hmac, key.aes];
  };
  native.enableTicketKeyCallback();
}

const EMPTY = Buffer.alloc(PART_OCTETS);
const NOTHING: Answer = [UNKNOWN, EMPTY, EMPTY];

function partsOf(
  keys: Uint8Array,
  start: number,
): { readonly name: Buffer; readonly hmac: Buffer; readonly aes: Buffer } {
  const part = (at: number): Buffer =>
    Buffer.from(keys.subarray(start + at * PART_OCTETS, start + (at + 1) * PART_OCTETS));
  return { name: part(0), hmac: part(1), aes: part(2) };
}
