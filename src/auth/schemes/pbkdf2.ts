import { pbkdf2, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";
import { err, ok } from "../../lib/result.ts";
import type { Scheme } from "./scheme.ts";

const derive = promisify(pbkdf2);
const FORM = /^\$1\$([^$]{1,128})\$(\d{1,9})\$([0-9a-f]{40})$/i;

/** Rounds that a stored secret may ask for: some 0.4 s of SHA-256. */
export const MOST_PBKDF2_ROUNDS = 2_000_000;

/** Dovecot's PBKDF2, `$1$salt$rounds$hex`: HMAC-SHA-1 over the salt as it is written. */
export const dovecotPbkdf2: Scheme = (body) => {
  const form = FORM.exec(body);
  const rounds = Number(form?.[2]);
  if (!form || rounds < 1) return err("malformed");
  if (rounds > MOST_PBKDF2_ROUNDS) return err("too-costly");
  const salt = Buffer.from(form[1] ?? "", "utf8");
  const wanted = Buffer.from(form[3] ?? "", "hex");
  return ok({
    where: "pool",
    verify: async (password) => timingSafeEqual(await derive(password, salt, rounds, wanted.length, "sha1"), wanted),
  });
};
