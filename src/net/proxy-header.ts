import type { Peer } from "../model/peer.ts";
import type { TlsState } from "./connection.ts";

/** What a header says. "local": the proxy speaks for itself (a health check), or tells nothing that can be used. */
export type ProxyHeader =
  { readonly kind: "local" } | { readonly kind: "proxied"; readonly peer: Peer; readonly tls?: TlsState };

/** Why octets are no header. */
export type ProxyProblem =
  "no-header" | "bad-version" | "bad-family" | "bad-address" | "bad-tlv" | "bad-checksum" | "too-long";
