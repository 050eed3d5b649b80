import { createServer } from "node:net";
import type { Config } from "../config/schema.ts";
import type { Language } from "../config/language.ts";
import { formatListenAddress, type ListenAddress as ConfiguredAddress } from "../config/listen-address.ts";
import { err, ok, type Result } from "../lib/result.ts";
import type { ListenAddress } from "../net/listener.ts";
import { portOwner } from "./port-owner.ts";
import { listenSentence } from "./refusals.ts";
import type { ThreadListener } from "./thread-messages.ts";

/** Every address that the configuration names, its port decided: those of the protocol threads and those of HTTP. */
export type Addresses = { readonly threads: readonly ThreadListener[]; readonly http: readonly ListenAddress[] };

/**
 * Binds each TCP address once, without SO_REUSEPORT, and lets it go again: a second server is refused here, which the
 * threads' shared binding would not notice (DESIGN "Threads"). A port 0 gets its number. The error is a sentence.
 */
export async function decideAddresses(
  listeners: Config["listeners"],
  language: Language,
): Promise<Result<Addresses, string>> {
  const threads: ThreadListener[] = [];
  const http: ListenAddress[] = [];
  for (const { protocol, tls, address: addresses, proxyProtocolFrom: proxyFrom } of listeners) {
    for (const configured of addresses) {
      const address = await decide(configured, language);
      if (!address.ok) {
        return err(listenSentence(protocol, formatListenAddress(configured), address.error, language));
      }
      if (protocol === "http") http.push(address.value);
      else threads.push({ protocol, tls, address: address.value, proxyFrom });
    }
  }
  return ok({ threads, http });
}

async function decide(address: ConfiguredAddress, language: Language): Promise<Result<ListenAddress, string>> {
  // A unix listener lives on one thread, whose bind refuses a socket that is served.
  if (address.kind === "unix") return ok({ path: address.path });
  const { host, port } = address;
  const probe = createServer();
  try {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    probe.once("error", reject);
    probe.listen({ host, port, exclusive: true, ipv6Only: host.includes(":") }, resolve);
    await promise;
    const bound = probe.address();
    return ok({ host, port: typeof bound === "object" && bound !== null ? bound.port : port });
  } catch (cause) {
    return err(await whyNot(cause as NodeJS.ErrnoException, port, language));
  } finally {
    if (probe.listening) await new Promise((resolve) => probe.close(resolve));
  }
}

/** Says why an address could not be bound, by whom it is taken where that can be told, and what to do. */
export async function whyNot(error: NodeJS.ErrnoException, port: number, language: Language): Promise<string> {
  const zh = language === "zh";
  if (error.code === "EADDRINUSE") {
    const owner = await portOwner(port);
    return zh
      ? `端口已被 ${owner ?? "其他进程"} 占用。请停止它，或为此监听器换一个地址。`
      : `the port is in use by ${owner ?? "another process"}. Stop it, or give this listener another address.`;
  }
  if (error.code === "EACCES") {
    return zh
      ? "1024 以下的端口需要特权：请授予程序 CAP_NET_BIND_SERVICE，或使用更大的端口。"
      : "ports below 1024 need a privilege: give the program CAP_NET_BIND_SERVICE, or use a higher port.";
  }
  if (error.code === "EADDRNOTAVAIL") return zh ? "本机没有这个地址。" : "this machine has no such address.";
  return `${error.message}.`;
}
