import type { JWTPayload, JWTVerifyGetKey, JWTVerifyOptions } from "jose";
import type { Clock } from "../../lib/clock.ts";
import { err, ok, type Result } from "../../lib/result.ts";
import { SKEW_SECONDS } from "./claims.ts";
import type { ProviderKeys } from "./keys.ts";
import type { ProviderConfig } from "./provider.ts";

/** Asymmetric ones alone: with a shared secret whoever checks tokens could also make them. */
const ALGORITHMS = "RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA Ed25519".split(" ");
/** Keys that are tried for a token that does not say which one signed it. */
const MOST_KEYS = 8;

export type JwtRefusal = { readonly is: "refused"; readonly reason: string } | { readonly is: "unavailable" };

/** Who claims to have issued a token; undefined: it is no JWT that says so. */
export async function claimedIssuer(token: string): Promise<string | undefined> {
  if (token.split(".").length !== 3) return undefined;
  const { decodeJwt } = await import("jose");
  try {
    return decodeJwt(token).iss;
  } catch {
    // No JWT: jose's way to say so.
    return undefined;
  }
}

/** The claims of a token that this provider signed for us and that holds now (RFC 7519 §7.2). */
export async function verifyJwt(
  token: string,
  config: ProviderConfig,
  keys: ProviderKeys,
  clock: Clock,
): Promise<Result<JWTPayload, JwtRefusal>> {
  const options: JWTVerifyOptions = {
    issuer: config.issuer,
    audience: config.audience,
    algorithms: ALGORITHMS,
    clockTolerance: SKEW_SECONDS,
    currentDate: new Date(clock.now()),
    requiredClaims: ["exp"],
  };
  const known = await keys.current();
  if (!known.ok) return err({ is: "unavailable" });
  const outcome = await verifyWith(token, known.value, options);
  if (outcome.ok || outcome.error !== "unknown key") return refusedAs(outcome);
  const fetched = await keys.again();
  if (!fetched.ok) return err({ is: "unavailable" });
  return refusedAs(fetched.value === known.value ? outcome : await verifyWith(token, fetched.value, options));
}

function refusedAs(outcome: Result<JWTPayload, string>): Result<JWTPayload, JwtRefusal> {
  return outcome.ok ? outcome : err({ is: "refused", reason: outcome.error });
}

async function verifyWith(
  token: string,
  keys: JWTVerifyGetKey,
  options: JWTVerifyOptions,
): Promise<Result<JWTPayload, string>> {
  const { errors, jwtVerify } = await import("jose");
  try {
    return ok((await jwtVerify(token, keys, options)).payload);
  } catch (cause) {
    if (cause instanceof errors.JWKSNoMatchingKey) return err("unknown key");
    if (cause instanceof errors.JWKSMultipleMatchingKeys) return verifyWithEach(token, cause, options);
    if (cause instanceof errors.JWTExpired) return err("it has expired");
    if (cause instanceof errors.JWTClaimValidationFailed) return err(`its claim ${cause.claim} is not right`);
    if (cause instanceof errors.JOSEError) return err(cause.code);
    // Key material that cannot be used comes as an error of its own: the provider's fault, and no word about the token.
    throw new Error(`a key of the provider cannot be used`, { cause });
  }
}

async function verifyWithEach(
  token: string,
  keys: AsyncIterable<CryptoKey>,
  options: JWTVerifyOptions,
): Promise<Result<JWTPayload, string>> {
  const { errors, jwtVerify } = await import("jose");
  let tried = 0;
  for await (const key of keys) {
    if (++tried > MOST_KEYS) break;
    try {
      return ok((await jwtVerify(token, key, options)).payload);
    } catch (cause) {
      if (cause instanceof errors.JWSSignatureVerificationFailed) continue;
      return verifyWith(token, () => key, options);
    }
  }
  return err("ERR_JWS_SIGNATURE_VERIFICATION_FAILED");
}
