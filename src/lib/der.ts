/** One element of DER (X.690 §8.1, §10): its identifier octet and its contents. */
export type DerElement = { readonly tag: number; readonly value: Uint8Array };

export const DER_OCTET_STRING = 0x04;
export const DER_OBJECT_IDENTIFIER = 0x06;
export const DER_SEQUENCE = 0x30;

const MOST_LENGTH_OCTETS = 4;

/** Reads the elements that follow one another in the octets; undefined: they are no DER, or have a tag beyond 30. */
export function readDer(octets: Uint8Array): readonly DerElement[] | undefined {
  const elements: DerElement[] = [];
  for (let at = 0; at < octets.length;) {
    const tag = octets[at] ?? 0;
    const header = lengthAt(octets, at + 1);
    if (header === undefined || (tag & 0x1f) === 0x1f) return undefined;
    const end = header.start + header.length;
    if (end > octets.length) return undefined;
    elements.push({ tag, value: octets.subarray(header.start, end) });
    at = end;
  }
  return elements;
}

/** The elements inside the first element of this tag. */
export function readInside(octets: Uint8Array, tag: number): readonly DerElement[] | undefined {
  const element = readDer(octets)?.find((each) => each.tag === tag);
  return element && readDer(element.value);
}

function lengthAt(octets: Uint8Array, at: number): { readonly start: number; readonly length: number } | undefined {
  const first = octets[at];
  if (first === undefined) return undefined;
  if (first < 0x80) return { start: at + 1, length: first };
  const count = first & 0x7f;
  const start = at + 1 + count;
  if (count === 0 || count > MOST_LENGTH_OCTETS || start > octets.length) return undefined;
  return { start, length: octets.subarray(at + 1, start).reduce((sum, octet) => sum * 256 + octet, 0) };
}
