import { createHmac, hash, pbkdf2, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";
import { err, ok } from "../../lib/result.ts";
import { MOST_PBKDF2_ROUNDS } from "./pbkdf2.ts";
import { decode, type Scheme } from "./scheme.ts";

const derive = promisify(pbkdf2);
const FORM = /^(\d{1,9}),([^,]+),([^,]+),([^,]+)$/;

/** SCRAM keys as Dovecot keeps them, `rounds,salt,StoredKey,ServerKey` (RFC 5802 §3); a password can be tried on them. */
export function scram(algorithm: "sha1" | "sha256"): Scheme {
  return (body) => {
    const form = FORM.exec(body);
    const rounds = Number(form?.[1]);
    const salt = decode(form?.[2] ?? "", "base64");
    const storedKey = decode(form?.[3] ?? "", "base64");
    const octets = algorithm === "sha1" ? 20 : 32;
    if (rounds < 1 || !salt || storedKey?.length !== octets) return err("malformed");
    if (rounds > MOST_PBKDF2_ROUNDS) return err("too-costly");
    return ok({
      where: "pool",
      verify: async (password) => {
        const salted = await derive(password, salt, rounds, octets, algorithm);
        const clientKey = createHmac(algorithm, salted).update("Client Key").digest();
        return timingSafeEqual(hash(algorithm, clientKey, "buffer"), storedKey);
      },
    });
  };
}
