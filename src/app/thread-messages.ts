import type { Config } from "../config/schema.ts";
import type { ListenerProtocol, ListenerTls } from "../config/listeners.ts";
import type { CountsMemory } from "../lib/shared-counts.ts";
import type { Cidr } from "../model/cidr.ts";
import type { ListenAddress } from "../net/listener.ts";
import type { NetworkLimitsMemory } from "../net/network-limits.ts";
import type { ObserveShared } from "../observe/worker.ts";
import type { StoreConnection } from "../store/thread/connection.ts";
import type { CertificateMaterial } from "../tls/context.ts";

/** One address to serve, its port decided. */
export type ThreadListener = {
  readonly protocol: Exclude<ListenerProtocol, "http">;
  readonly tls: ListenerTls;
  readonly address: ListenAddress;
  /** Networks of proxies; none: it serves everybody. */
  readonly proxyFrom: readonly Cidr[];
};

/** What a protocol thread is started with (workerData). */
export type ThreadSetup = {
  /** 1 or more. */
  readonly number: number;
  /** How many protocol threads share the limits. */
  readonly threads: number;
  readonly config: Config;
  readonly listeners: readonly ThreadListener[];
  readonly certificate: CertificateMaterial;
  readonly store: StoreConnection;
  readonly observe: ObserveShared;
  /** Keys the verification caches of this process. */
  readonly cacheKey: Uint8Array;
  /** What lies in the data folder's secrets.key. */
  readonly secretKey: Uint8Array;
  readonly networks: NetworkLimitsMemory;
  readonly accounts: CountsMemory;
};

/** What the main thread tells a protocol thread. */
export type ToThread =
  | { readonly kind: "config"; readonly config: Config }
  | { readonly kind: "certificate"; readonly certificate: CertificateMaterial }
  /** Stop accepting; cut what is left after so many seconds; then say "stopped" and end. */
  | { readonly kind: "stop"; readonly seconds: number };

/** What a protocol thread tells the main thread. */
export type FromThread =
  | { readonly kind: "bound" }
  /** It cannot serve; the reason names the address. */
  | { readonly kind: "failed"; readonly reason: string }
  | { readonly kind: "stopped"; readonly sessionsCut: number };
