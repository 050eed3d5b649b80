import { once } from "node:events";
import net from "node:net";

/** The ports of one installation. */
export type Ports = {
  readonly pop3: number;
  readonly pop3s: number;
  readonly smtp: number;
  readonly submission: number;
  readonly lmtp: number;
  readonly http: number;
};

/** Ports of 127.0.0.1 that nobody listens on at this moment. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => net.createServer().listen(0, "127.0.0.1"));
  await Promise.all(servers.map((server) => once(server, "listening")));
  const ports = servers.map((server) => (server.address() as net.AddressInfo).port);
  await Promise.all(servers.map((server) => once(server.close(), "close")));
  return ports;
}

/** Free ports for one installation. */
export async function freeMailPorts(): Promise<Ports> {
  const [pop3 = 0, pop3s = 0, smtp = 0, submission = 0, lmtp = 0, http = 0] = await freePorts(6);
  return { pop3, pop3s, smtp, submission, lmtp, http };
}

/** Whether something that greets its clients listens on the port. */
export function greets(port: number): Promise<boolean> {
  const socket = net.connect(port, "127.0.0.1");
  const { promise, resolve } = Promise.withResolvers<boolean>();
  socket.once("data", () => resolve(true)).once("error", () => resolve(false));
  return promise.finally(() => socket.destroy());
}
