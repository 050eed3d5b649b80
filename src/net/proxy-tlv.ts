/** One type, length and value (§2.2.1). */
export type Tlv = { readonly type: number; readonly value: Buffer };

/** Reads all of them; undefined: one ends behind the end. */
export function readTlvs(octets: Buffer): readonly Tlv[] | undefined {
  const tlvs: Tlv[] = [];
  for (let at = 0; at < octets.length;) {
    if (at + 3 > octets.length) return undefined;
    const end = at + 3 + octets.readUInt16BE(at + 1);
    if (end > octets.length) return undefined;
    tlvs.push({ type: octets[at] ?? 0, value: octets.subarray(at + 3, end) });
    at = end;
  }
  return tlvs;
}
