import { BearerExchange, type BearerMessage, hintOf, readPairs, tokenOf } from "./bearer.ts";
import type { Mechanism } from "./mechanism.ts";
import { decodePart } from "./part.ts";

/** SASL XOAUTH2, which came before OAUTHBEARER and is what many clients know alone: `user=… %x01 auth=Bearer … %x01 %x01`. */
export const xoauth2: Mechanism = {
  name: "XOAUTH2",
  serverFirst: false,
  clearSecret: true,
  usable: (policy, channel) => policy.oauth && channel.secure,
  begin: (_channel, _plusOffered, policy) =>
    new BearerExchange("XOAUTH2", read, { status: "401", schemes: "bearer", ...hintOf(policy) }),
};

function read(text: string): BearerMessage | undefined {
  const end = text.indexOf("\x01");
  if (end < 0 || !text.startsWith("user=")) return undefined;
  const name = text.slice("user=".length, end);
  const user = name.includes("\0") ? undefined : decodePart(Buffer.from(name, "latin1"));
  const pairs = readPairs(text.slice(end + 1));
  if (user === undefined || user === "" || !pairs) return undefined;
  return { user, token: tokenOf(pairs.get("auth") ?? "") };
}
