import { isIP } from "node:net";
import { parseDomain } from "../model/address.ts";

/** Where a listener listens. */
export type ListenAddress =
  | { readonly kind: "tcp"; readonly host: string; readonly port: number }
  | { readonly kind: "unix"; readonly path: string };

/** The longest path that a socket address takes on every system we run on, in octets. */
const UNIX_PATH_OCTETS = 103;

/** Parses `host:port`, `[v6]:port` or `unix:/path`; undefined: it is none of them. */
export function parseListenAddress(text: string): ListenAddress | undefined {
  if (text.startsWith("unix:")) return parseUnix(text.slice("unix:".length));
  const match = /^(?:\[([0-9a-f:.]+(?:%[\w.-]+)?)\]|([^:[\]\s]+)):(\d{1,5})$/i.exec(text);
  if (match === null) return undefined;
  const [, bracketed, plain, digits] = match;
  const port = Number(digits);
  if (port > 65_535) return undefined;
  if (bracketed !== undefined) {
    return isIP(bracketed) === 6 ? { kind: "tcp", host: bracketed.toLowerCase(), port } : undefined;
  }
  const host = plain ?? "";
  return isIP(host) === 4 || isHostName(host) ? { kind: "tcp", host, port } : undefined;
}

/** Writes an address as `parseListenAddress` reads it. */
export function formatListenAddress(address: ListenAddress): string {
  if (address.kind === "unix") return `unix:${address.path}`;
  return address.host.includes(":") ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}

function parseUnix(path: string): ListenAddress | undefined {
  const fits = Buffer.byteLength(path) <= UNIX_PATH_OCTETS && !path.includes("\0");
  return path.startsWith("/") && !path.endsWith("/") && fits ? { kind: "unix", path } : undefined;
}

// `1.2.3` or `999.1.1.1` is a mistyped address, not a name to look up.
function isHostName(host: string): boolean {
  return !/^[\d.]+$/.test(host) && parseDomain(host).ok;
}
