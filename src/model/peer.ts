/** Who is at the other end of a connection, as far as the transport can tell. */
export type Peer = {
  /** The IP address in its canonical text, or "unix" for a local socket. */
  readonly address: string;
  readonly port: number;
};

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
