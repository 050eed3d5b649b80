import type { Socket } from "node:net";
import type { Peer } from "../model/peer.ts";

/** Who is at the other end of a socket, as the kernel tells it. */
export function peerOf(socket: Socket, unix: boolean): Peer {
  if (unix) return { address: "unix", port: 0 };
  const { remoteAddress: address, remotePort: port } = socket;
  // The kernel forgets the address of a connection that was reset before anybody asked.
  if (address === undefined || port === undefined) return { address: "unknown", port: 0 };
  const mapped = address.startsWith("::ffff:") && address.includes(".");
  return { address: mapped ? address.slice(7) : address, port };
}
