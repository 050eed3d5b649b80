import { CLEAR_CHANNEL, type Channel } from "../auth/engine/channel.ts";
import type { Client } from "../model/peer.ts";
import type { Connection } from "../net/connection.ts";

/** A connection as mechanisms know it, as it is now: after a handshake it is another. */
export function channelOf(connection: Connection): Channel {
  const { tls } = connection;
  if (tls === undefined) return CLEAR_CHANNEL;
  return {
    secure: true,
    binding: (type) => connection.binding(type),
    clientCertificate: tls.certificate !== undefined,
  };
}

/** Who is at the other end, for the login. */
export function clientOf({ peer, tls }: Connection): Client {
  const certificate = tls?.certificate;
  return { peer, tls: tls?.version ?? "", ...(certificate !== undefined && { certificate }) };
}
