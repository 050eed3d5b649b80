import { hash, timingSafeEqual } from "node:crypto";
import { err, ok, type Result } from "../../lib/result.ts";
import { cryptBase64 } from "./crypt-base64.ts";
import type { Check, Scheme, SchemeProblem } from "./scheme.ts";

type Algorithm = "sha256" | "sha512";

const FORM = /^\$([56])\$(?:rounds=(\d{1,9})\$)?([^$]{0,16})\$([./0-9A-Za-z]+)$/;
const DEFAULT_ROUNDS = 5000;
const LEAST_ROUNDS = 1000;
// passlib writes up to 656,000 by itself: about a second here.
const MOST_ROUNDS = 1_000_000;
const CHARACTERS = { sha256: 43, sha512: 86 } as const;

/** Drepper's SHA-256 crypt, `$5$[rounds=N$]salt$digest`. */
export const sha256Crypt: Scheme = (body) => parse(body, "5", "sha256");

/** Drepper's SHA-512 crypt, `$6$[rounds=N$]salt$digest`. */
export const sha512Crypt: Scheme = (body) => parse(body, "6", "sha512");

function parse(body: string, id: string, algorithm: Algorithm): Result<Check, SchemeProblem> {
  const form = FORM.exec(body);
  if (form?.[1] !== id || form[4]?.length !== CHARACTERS[algorithm]) return err("malformed");
  const rounds = Math.max(LEAST_ROUNDS, Number(form[2] ?? DEFAULT_ROUNDS));
  if (rounds > MOST_ROUNDS) return err("too-costly");
  const salt = Buffer.from(form[3] ?? "", "utf8");
  const wanted = Buffer.from(form[4], "latin1");
  return ok({
    where: "thread",
    verify: (password) => timingSafeEqual(Buffer.from(digest(algorithm, password, salt, rounds), "latin1"), wanted),
  });
}

function digest(algorithm: Algorithm, password: Buffer, salt: Buffer, rounds: number): string {
  const start = startDigest(algorithm, password, salt);
  const p = fill(hash(algorithm, repeat(password, password.length), "buffer"), password.length);
  const s = fill(hash(algorithm, repeat(salt, 16 + (start[0] ?? 0)), "buffer"), salt.length);
  // One buffer for all rounds: a million little allocations would cost more than the hashing.
  const turn = Buffer.alloc(2 * p.length + s.length + start.length + p.length);
  let result = start;
  for (let round = 0; round < rounds; round++) {
    const odd = (round & 1) === 1;
    let at = put(turn, odd ? p : result, 0);
    if (round % 3 !== 0) at = put(turn, s, at);
    if (round % 7 !== 0) at = put(turn, p, at);
    at = put(turn, odd ? result : p, at);
    result = hash(algorithm, turn.subarray(0, at), "buffer");
  }
  return cryptBase64(result, algorithm === "sha256" ? ORDER_256 : ORDER_512);
}

function startDigest(algorithm: Algorithm, password: Buffer, salt: Buffer): Buffer {
  const alternate = hash(algorithm, Buffer.concat([password, salt, password]), "buffer");
  const parts = [password, salt, fill(alternate, password.length)];
  for (let bits = password.length; bits > 0; bits >>= 1) parts.push((bits & 1) === 1 ? alternate : password);
  return hash(algorithm, Buffer.concat(parts), "buffer");
}

function put(target: Buffer, source: Buffer, at: number): number {
  target.set(source, at);
  return at + source.length;
}

function repeat(octets: Buffer, times: number): Buffer {
  return Buffer.concat(Array<Buffer>(times).fill(octets));
}

/** The octets over and over until so many are there. */
function fill(octets: Buffer, length: number): Buffer {
  return length === 0 ? Buffer.alloc(0) : Buffer.alloc(length, octets);
}

// The orders of the specification, "SHA-crypt.txt" step 22: each next group turns the three columns by one.
const ORDER_512 = [...turned(21, [0, 21, 42], 1), [63]];
const ORDER_256 = [...turned(10, [0, 10, 20], 2), [-1, 31, 30]];

function turned(groups: number, columns: readonly [number, number, number], by: 1 | 2): number[][] {
  return Array.from({ length: groups }, (_, row) =>
    [0, 1, 2].map((place) => (columns[(place + row * by) % 3] ?? 0) + row),
  );
}
