import { err, ok, type Result } from "../lib/result.ts";
import { formatIp, parseIp, type IpOctets } from "./ip-address.ts";

/** A network of IP addresses (RFC 4632 §3.1, RFC 4291 §2.3): plain data, so that it may be posted between threads. */
export type Cidr = {
  /** The network's first address. */
  readonly network: IpOctets;
  readonly bits: number;
};

/** Why a text is no network. "host-bits": the address has bits beyond the prefix, so that one cannot tell what was meant. */
export type CidrProblem = "bad-address" | "bad-bits" | "host-bits";

/** Reads `10.0.0.0/8`, `2001:db8::/32`, or an address alone as the network of just that address. */
export function parseCidr(text: string): Result<Cidr, CidrProblem> {
  const slash = text.indexOf("/");
  const network = parseIp(slash < 0 ? text : text.slice(0, slash));
  if (network === undefined) return err("bad-address");
  const width = network.length * 8;
  if (slash < 0) return ok({ network, bits: width });
  const digits = text.slice(slash + 1);
  if (!/^(?:0|[1-9]\d{0,2})$/.test(digits)) return err("bad-bits");
  // A prefix of an IPv4-mapped address counts the 96 bits in front of it.
  const bits = text.includes(":") && width === 32 ? Number(digits) - 96 : Number(digits);
  if (bits < 0 || bits > width) return err("bad-bits");
  return network.every((octet, at) => (octet & ~maskOf(bits, at)) === 0) ? ok({ network, bits }) : err("host-bits");
}

/** Whether an address is in the network; a text that is no address ("unix") is in none. */
export function contains(cidr: Cidr, address: string): boolean {
  return containsAny([cidr], address);
}

/** Whether an address is in one of the networks. A zone (`fe80::1%eth0`) is not looked at. */
export function containsAny(cidrs: readonly Cidr[], address: string): boolean {
  const octets = parseIp(address.replace(/%.*$/, ""));
  if (octets === undefined) return false;
  return cidrs.some(
    ({ network, bits }) =>
      network.length === octets.length &&
      network.every((octet, at) => octet === ((octets[at] ?? 0) & maskOf(bits, at))),
  );
}

/** The network as it is written in configurations. */
export function formatCidr({ network, bits }: Cidr): string {
  return `${formatIp(network)}/${bits}`;
}

function maskOf(bits: number, octet: number): number {
  const here = Math.min(8, Math.max(0, bits - octet * 8));
  return (0xff << (8 - here)) & 0xff;
}
