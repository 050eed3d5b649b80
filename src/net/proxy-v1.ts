import { err, ok, type Result } from "../lib/result.ts";
import { formatIp, parseIp } from "../model/ip-address.ts";
import type { ProxyHeader, ProxyProblem } from "./proxy-header.ts";

const PORT = /^(?:0|[1-9]\d{0,4})$/;

/** Reads a line of version 1, its CRLF included (§2.1): `PROXY TCP4 192.0.2.1 198.51.100.1 40000 110`. */
export function parseV1(line: string): Result<ProxyHeader, ProxyProblem> {
  if (!line.endsWith("\r\n")) return err("no-header");
  const words = line.slice(0, -2).split(" ");
  const [, family, source = "", destination = "", sourcePort = "", destinationPort = ""] = words;
  // §2.1: what comes behind UNKNOWN is ignored.
  if (family === "UNKNOWN") return ok({ kind: "local" });
  if (family !== "TCP4" && family !== "TCP6") return err("bad-family");
  if (words.length !== 6) return err("bad-address");
  const address = addressOf(family, source);
  const port = portOf(sourcePort);
  if (address === undefined || port === undefined) return err("bad-address");
  if (addressOf(family, destination) === undefined || portOf(destinationPort) === undefined) return err("bad-address");
  return ok({ kind: "proxied", peer: { address, port, proxied: true } });
}

function addressOf(family: "TCP4" | "TCP6", text: string): string | undefined {
  // An IPv4-mapped address is written as IPv6 here and known as IPv4 from here on.
  if (text.includes(":") !== (family === "TCP6")) return undefined;
  const octets = parseIp(text);
  return octets && formatIp(octets);
}

function portOf(text: string): number | undefined {
  const port = PORT.test(text) ? Number(text) : Infinity;
  return port <= 65_535 ? port : undefined;
}
