import { err, ok, type Result } from "../../lib/result.ts";
import type { JsonObject } from "./fetch-json.ts";
import type { ProviderConfig } from "./provider.ts";

/** Clocks of provider and house may differ by so much. */
export const SKEW_SECONDS = 30;
const NAME_OCTETS = 255;

/** Whom the claims of a good token name; the error says what of them is wrong, for the operator. */
export function judgeClaims(config: ProviderConfig, claims: JsonObject): Result<{ readonly username: string }, string> {
  const missing = wordsOf(config.scope).find((scope) => !scopesOf(claims).includes(scope));
  if (missing !== undefined) return err(`it lacks the scope ${missing}`);
  const username = claims[config.usernameClaim];
  if (typeof username !== "string" || username === "" || Buffer.byteLength(username) > NAME_OCTETS)
    return err(`it has no claim ${config.usernameClaim}`);
  // Else whoever may write any address into a profile there could read that address's mail here.
  if (config.usernameClaim === "email" && [false, "false"].includes(claims["email_verified"] as boolean))
    return err("its email is not verified");
  return ok({ username });
}

/**
 * What jose checks of a JWT, for the answer to an introspection (RFC 7662 §2.2). Where it names no audience, the client must
 * be it: else a token that its owner gave to some other service would open the mailbox.
 */
export function judgeIntrospected(config: ProviderConfig, claims: JsonObject, nowMs: number): string | undefined {
  const { active, iss, aud, exp, nbf, client_id: client } = claims;
  const now = nowMs / 1000;
  if (active !== true) return "it is not active";
  if (iss !== undefined && iss !== config.issuer) return "it is of another issuer";
  const audiences: readonly unknown[] = Array.isArray(aud) ? aud : [aud ?? client];
  if (!audiences.includes(config.audience)) return "it is for another audience";
  if (exp !== undefined && !(typeof exp === "number" && exp > now - SKEW_SECONDS)) return "it has expired";
  if (nbf !== undefined && !(typeof nbf === "number" && nbf <= now + SKEW_SECONDS)) return "it is not valid yet";
  return undefined;
}

/** RFC 8693 §4.2 `scope`, a text; some providers write `scp`, a text or a list. */
function scopesOf({ scope, scp }: JsonObject): readonly unknown[] {
  const given = scope ?? scp;
  return Array.isArray(given) ? given : wordsOf(typeof given === "string" ? given : undefined);
}

function wordsOf(text: string | undefined): readonly string[] {
  return (text ?? "").split(" ").filter((word) => word !== "");
}
