import { hash, timingSafeEqual } from "node:crypto";
import { err, ok } from "../../lib/result.ts";
import { cryptBase64 } from "./crypt-base64.ts";
import type { Scheme } from "./scheme.ts";

const FORM = /^\$1\$([^$]{0,8})\$([./0-9A-Za-z]{22})$/;
const ROUNDS = 1000;
const ORDER = [[0, 6, 12], [1, 7, 13], [2, 8, 14], [3, 9, 15], [4, 10, 5], [11]];

/** FreeBSD's MD5 crypt, `$1$salt$digest`. */
export const md5Crypt: Scheme = (body) => {
  const form = FORM.exec(body);
  if (!form) return err("malformed");
  const salt = Buffer.from(form[1] ?? "", "utf8");
  const wanted = Buffer.from(form[2] ?? "", "latin1");
  return ok({
    where: "thread",
    verify: (password) => timingSafeEqual(Buffer.from(digest(password, salt), "latin1"), wanted),
  });
};

function digest(password: Buffer, salt: Buffer): string {
  const alternate = md5(password, salt, password);
  const parts: Buffer[] = [password, Buffer.from("$1$", "latin1"), salt];
  for (let left = password.length; left > 0; left -= 16) parts.push(alternate.subarray(0, Math.min(16, left)));
  for (let bits = password.length; bits > 0; bits >>= 1) {
    parts.push((bits & 1) === 1 ? Buffer.alloc(1) : password.subarray(0, 1));
  }
  let result = md5(...parts);
  for (let round = 0; round < ROUNDS; round++) {
    const odd = (round & 1) === 1;
    const turn = [odd ? password : result];
    if (round % 3 !== 0) turn.push(salt);
    if (round % 7 !== 0) turn.push(password);
    turn.push(odd ? result : password);
    result = md5(...turn);
  }
  return cryptBase64(result, ORDER);
}

function md5(...parts: readonly Buffer[]): Buffer {
  return hash("md5", Buffer.concat(parts), "buffer");
}
