const ALPHABET = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/**
 * The base64 of crypt(3): the octets are taken in the given groups of up to three, most significant first, and each
 * group is written with its least significant six bits first. −1 stands for an octet of zeros.
 */
export function cryptBase64(digest: Buffer, groups: readonly (readonly number[])[]): string {
  let text = "";
  for (const group of groups) {
    let bits = 0;
    for (const index of group) bits = (bits << 8) | (index < 0 ? 0 : (digest[index] ?? 0));
    const octets = group.filter((index) => index >= 0).length;
    for (let i = 0; i <= octets; i++, bits >>>= 6) text += ALPHABET[bits & 63];
  }
  return text;
}
