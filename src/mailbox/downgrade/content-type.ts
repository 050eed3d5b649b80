import { readParameters, valueOctets } from "./parameters.ts";

/** What a header says of the body behind it, as far as other headers may stand in there. */
export type Inside =
  | { readonly kind: "parts"; readonly boundary: Buffer; readonly digest: boolean }
  /** The body begins with a header of its own. */
  | { readonly kind: "message" }
  | { readonly kind: "octets" };

const OCTETS: Inside = { kind: "octets" };
const MESSAGE: Inside = { kind: "message" };
// RFC 2046 §5.2.1, RFC 6532 §3.7.
const MESSAGES: ReadonlySet<string> = new Set(["message/rfc822", "message/global", "message/news"]);
// RFC 2046 §5.1.1 allows 70.
const BOUNDARY_OCTETS = 256;

/**
 * Reads Content-Type (RFC 2045 §5.1) and Content-Transfer-Encoding, each in latin1 or undefined where the header has none.
 * `inDigest`: the part stands in a multipart/digest, whose parts are messages (RFC 2046 §5.1.5).
 */
export function insideOf(type: string | undefined, encoding: string | undefined, inDigest: boolean): Inside {
  const read = type === undefined ? { first: inDigest ? "message/rfc822" : "", parameters: [] } : readParameters(type);
  const media = read?.first.replace(/[ \t\r\n]/g, "").toLowerCase() ?? "";
  // An encoded message is no text in which headers could be found, whatever RFC 2046 §5.2.1 says of such a thing.
  if (MESSAGES.has(media)) return isPlain(encoding) ? MESSAGE : OCTETS;
  if (!media.startsWith("multipart/")) return OCTETS;
  const parts = read?.parameters.filter(({ base }) => base === "boundary") ?? [];
  const octets = valueOctets(parts, true);
  if (octets === undefined || octets.length > BOUNDARY_OCTETS) return OCTETS;
  // RFC 2046 §5.1.1: none ends with a space.
  const boundary = Buffer.from(octets.toString("latin1").replace(/ +$/, ""), "latin1");
  if (boundary.length === 0) return OCTETS;
  return { kind: "parts", boundary, digest: media === "multipart/digest" };
}

function isPlain(encoding: string | undefined): boolean {
  const [name = ""] = /[A-Za-z0-9-]+/.exec(encoding ?? "") ?? [];
  return ["", "7bit", "8bit", "binary"].includes(name.toLowerCase());
}
