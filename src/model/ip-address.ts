/** The octets of an IP address in network order: four or sixteen. An IPv4-mapped IPv6 address is its IPv4 address. */
export type IpOctets = readonly number[];

/** Reads an address as inet_pton(3) does: nothing abbreviated, no zone, no leading zeros in IPv4. */
export function parseIp(text: string): IpOctets | undefined {
  if (!text.includes(":")) return parseIpv4(text);
  const octets = parseIpv6(text);
  return octets && withoutMapping(octets);
}

/** ::ffff:192.0.2.1 is how a socket of both families names an IPv4 peer (RFC 4291 §2.5.5.2). */
export function withoutMapping(octets: IpOctets): IpOctets {
  const mapped = octets.length === 16 && octets.every((octet, at) => at >= 12 || octet === (at < 10 ? 0 : 0xff));
  return mapped ? octets.slice(12) : octets;
}

/** The canonical text (RFC 5952): lower case, no leading zeros, the first longest run of zero groups as "::". */
export function formatIp(octets: IpOctets): string {
  if (octets.length === 4) return octets.join(".");
  const groups = Array.from({ length: 8 }, (_, at) => ((octets[at * 2] ?? 0) << 8) | (octets[at * 2 + 1] ?? 0));
  const [start, length] = longestZeros(groups);
  const texts = groups.map((group) => group.toString(16));
  if (length < 2) return texts.join(":");
  return `${texts.slice(0, start).join(":")}::${texts.slice(start + length).join(":")}`;
}

function parseIpv4(text: string): IpOctets | undefined {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((part) => /^(?:0|[1-9]\d{0,2})$/.test(part))) return undefined;
  const octets = parts.map(Number);
  return octets.every((octet) => octet <= 255) ? octets : undefined;
}

function parseIpv6(text: string): IpOctets | undefined {
  const halves = text.split("::");
  if (text.length > 45 || halves.length > 2) return undefined;
  const [head, tail] = halves.map(parseGroups);
  if (head === undefined || (halves.length === 2 && tail === undefined)) return undefined;
  if (tail === undefined) return head.length === 16 && !text.includes("::") ? head : undefined;
  const zeros = 16 - head.length - tail.length;
  // "::" stands for one group at least; an IPv4 tail stands only at the very end.
  if (zeros < 2 || (halves[0] ?? "").includes(".")) return undefined;
  return [...head, ...Array<number>(zeros).fill(0), ...tail];
}

function parseGroups(text: string): number[] | undefined {
  if (text === "") return [];
  const octets: number[] = [];
  const groups = text.split(":");
  for (const [at, group] of groups.entries()) {
    if (/^[\da-f]{1,4}$/i.test(group)) {
      const value = Number.parseInt(group, 16);
      octets.push(value >> 8, value & 0xff);
      continue;
    }
    const dotted = at === groups.length - 1 ? parseIpv4(group) : undefined;
    if (dotted === undefined) return undefined;
    octets.push(...dotted);
  }
  return octets;
}

function longestZeros(groups: readonly number[]): readonly [start: number, length: number] {
  let best: readonly [number, number] = [0, 0];
  for (let start = 0; start < groups.length; start += 1) {
    let end = start;
    while (groups[end] === 0) end += 1;
    if (end - start > best[1]) best = [start, end - start];
  }
  return best;
}
