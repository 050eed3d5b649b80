/** Who is at the other end of a connection, as far as the transport can tell. */
export type Peer = {
  /** The IP address in its canonical text, or "unix" for a local socket. */
  readonly address: string;
  readonly port: number;
  /** Whether a trusted proxy named it (PROXY protocol): then also loopback counts as a network of its own. */
  readonly proxied?: boolean;
};

/** A client that logs in: where it is, and what its TLS shows of it. */
export type Client = {
  readonly peer: Peer;
  /** The TLS version that protects the connection, "" in clear text. */
  readonly tls: string;
  /** What the certificate that it showed names, where the configured authority vouches for it. */
  readonly certificate?: ClientCertificate;
};

/** Names in a client's certificate (RFC 5280 §4.2.1.6, §4.1.2.6). */
export type ClientCertificate = {
  readonly emails: readonly string[];
  readonly commonName: string;
};

/** Where a device is likely to come back from: the /24 of an IPv4 address, the /64 of IPv6, "unix". */
export function placeOf(peer: Peer): string {
  const network = networkOf(peer);
  if (network.includes(":") || !network.includes(".")) return network;
  return `${network.slice(0, network.lastIndexOf("."))}.0/24`;
}

/** The network that limits are counted by: the address itself for IPv4, the /64 for IPv6, "unix" for a local socket. */
export function networkOf(peer: Peer): string {
  const { address } = peer;
  if (!address.includes(":")) return address;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (mapped) return mapped[1] ?? address;
  const [head = "", tail = ""] = address.split("::");
  const left = head === "" ? [] : head.split(":");
  const right = tail === "" ? [] : tail.split(":");
  const zeros = address.includes("::") ? Math.max(0, 8 - left.length - right.length) : 0;
  const groups = [...left, ...Array<string>(zeros).fill("0"), ...right];
  return `${groups.slice(0, 4).join(":")}::/64`;
}
