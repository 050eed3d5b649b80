import { BearerExchange, type BearerMessage, hintOf, readPairs, tokenOf } from "./bearer.ts";
import type { Mechanism } from "./mechanism.ts";
import { decodePart } from "./part.ts";

/** SASL OAUTHBEARER (RFC 7628). */
export const oauthbearer: Mechanism = {
  name: "OAUTHBEARER",
  serverFirst: false,
  clearSecret: true,
  usable: (policy, channel) => policy.oauth && channel.secure,
  begin: (_channel, _plusOffered, policy) =>
    new BearerExchange("OAUTHBEARER", read, { status: "invalid_token", ...hintOf(policy) }),
};

// RFC 5801 §4. No binding is known here, so none may be asked for ("p="); "y" says that we did not announce one, which is so.
// oxlint-disable-next-line eslint/no-control-regex -- it is what ends the header
const HEADER = /^[ny],(?:a=([^,\x01]+))?,(?=\x01)/;

function read(text: string): BearerMessage | undefined {
  const header = HEADER.exec(text);
  const pairs = header && readPairs(text.slice(header[0].length + 1));
  if (!header || !pairs) return undefined;
  const user = header[1] === undefined ? "" : readName(header[1]);
  if (user === undefined) return undefined;
  // All other keys are to be ignored; host and port say nothing that is not known (RFC 7628 §3.1).
  return { user, token: tokenOf(pairs.get("auth") ?? "") };
}

/** RFC 5801 §4: "," and "=" are written =2C and =3D, and no other "=" may be. */
function readName(written: string): string | undefined {
  if (/=(?!2C|3D)/.test(written)) return undefined;
  const name = written.replaceAll("=2C", ",").replaceAll("=3D", "=");
  return name.includes("\0") ? undefined : decodePart(Buffer.from(name, "latin1"));
}
