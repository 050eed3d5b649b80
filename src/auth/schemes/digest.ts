import { hash, timingSafeEqual } from "node:crypto";
import { err, ok } from "../../lib/result.ts";
import { type Check, decode, type Encoding, type Scheme } from "./scheme.ts";

type Algorithm = "md5" | "sha1" | "sha256" | "sha512";

const OCTETS = { md5: 16, sha1: 20, sha256: 32, sha512: 64 } as const;

/** One digest of the password: SHA, SHA256, SHA512, PLAIN-MD5 and LDAP-MD5, in base64 or hex, told apart by length. */
export function plainDigest(algorithm: Algorithm): Scheme {
  return (body, encoding) => {
    const digest = decode(body, encoding === "own" ? guess(body, algorithm) : encoding);
    return digest?.length === OCTETS[algorithm] ? ok(check(algorithm, digest, Buffer.alloc(0))) : err("malformed");
  };
}

function guess(body: string, algorithm: Algorithm): "hex" | "base64" {
  return body.length === OCTETS[algorithm] * 2 ? "hex" : "base64";
}

/** A digest of password and salt, the salt behind it: SSHA, SSHA256, SSHA512, SMD5 (RFC 2307's way); base64 by itself. */
export function saltedDigest(algorithm: Algorithm): Scheme {
  return (body, encoding: Encoding) => {
    const octets = decode(body, encoding === "own" ? "base64" : encoding);
    if (!octets || octets.length <= OCTETS[algorithm]) return err("malformed");
    const digest = octets.subarray(0, OCTETS[algorithm]);
    return ok(check(algorithm, digest, octets.subarray(OCTETS[algorithm])));
  };
}

function check(algorithm: Algorithm, digest: Buffer, salt: Buffer): Check {
  return {
    where: "here",
    verify: (password) => timingSafeEqual(hash(algorithm, Buffer.concat([password, salt]), "buffer"), digest),
  };
}
