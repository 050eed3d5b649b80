/** The longest user name, password or authorization identity that is taken, in octets (rule SASL-05). */
export const PART_OCTETS = 255;

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** One part of a credential as text; undefined where it is longer than any can be or is no UTF-8, and so nobody's. */
export function decodePart(octets: Uint8Array): string | undefined {
  if (octets.length > PART_OCTETS) return undefined;
  try {
    return utf8.decode(octets);
  } catch (cause) {
    if (cause instanceof TypeError) return undefined;
    throw cause;
  }
}
