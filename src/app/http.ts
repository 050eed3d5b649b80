import type { Server } from "node:http";
import { err, ok, type Result } from "../lib/result.ts";
import { languageOf } from "../config/language.ts";
import { addressText, type ListenAddress } from "../net/listener.ts";
import { httpServer, type HttpPorts } from "../observe/http.ts";
import { whyNot } from "./bind.ts";
import { listenSentence } from "./refusals.ts";

/** Serves health and metrics at these addresses, on the main thread. The error is a sentence. */
export async function listenHttp(
  addresses: readonly ListenAddress[],
  ports: HttpPorts,
): Promise<Result<AsyncDisposable, string>> {
  const servers: Server[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(servers.map(closeServer));
  };
  for (const address of addresses) {
    const server = httpServer(ports);
    try {
      await listenAt(server, address);
      servers.push(server);
    } catch (cause) {
      await close();
      const language = languageOf(process.env);
      const why = await whyNot(cause as Error, "port" in address ? address.port : 0, language);
      return err(listenSentence("http", addressText(address), why, language));
    }
  }
  return ok({ [Symbol.asyncDispose]: close });
}

function listenAt(server: Server, address: ListenAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    const listening = (): void => {
      server.off("error", reject);
      resolve();
    };
    if ("path" in address) server.listen(address.path, listening);
    else server.listen({ host: address.host, port: address.port, ipv6Only: address.host.includes(":") }, listening);
  });
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
