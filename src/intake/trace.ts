import { isIPv6 } from "node:net";
import type { Envelope } from "../model/envelope.ts";

/** The most octets that the trace headers of one message take; every part of them is bounded. */
export const TRACE_OCTETS = 2048;

const PART_OCTETS = 320;

/**
 * Writes Return-Path and Received (RFC 5321 §4.4), one clause a line. Nothing in them can end a line or break out of
 * its clause, and 8-bit octets stand there only where the client asked for SMTPUTF8 (RFC 6531 §3.7.3).
 */
export function traceHeaders(envelope: Envelope, hostname: string, id: string, receivedMs: number): string {
  const { protocol, peer, tls, sender, recipients } = envelope;
  const lines = [
    `Return-Path: <${clause(sender, envelope, 512)}>`,
    `Received: from ${name(envelope.helo)}${peer.address === "unix" ? "" : ` ([${literal(peer.address)}])`}`,
    `\tby ${hostname} with ${protocol}${tls ? ` (${word(tls.version)} ${word(tls.cipher)})` : ""}`,
  ];
  const [only, ...more] = recipients;
  const shown = only && more.length === 0 ? clause(only.asGiven, envelope, PART_OCTETS) : "";
  // The recipients of a message do not learn of each other (RFC 5321 §7.2).
  lines.push(shown === "" ? `\tid ${id};` : `\tid ${id}`);
  if (shown !== "") lines.push(`\tfor <${shown}>;`);
  lines.push(`\t${dateTime(receivedMs)}`, "");
  return lines.join("\r\n");
}

/** A path as it may stand between angle brackets in a header; "" where it may not. */
function clause(path: string, { protocol }: Envelope, most: number): string {
  if (Buffer.byteLength(path) > most || /[\p{Cc}<>]/u.test(path)) return "";
  return protocol.startsWith("UTF8") || /^[\x20-\x7e]*$/.test(path) ? path : "";
}

/** What the client called itself, with everything that no host's name or address has turned into "?". */
function name(helo: string): string {
  const clean = helo.slice(0, 255).replace(/[^A-Za-z0-9.:_[\]-]/g, "?");
  return clean === "" ? "unknown" : clean;
}

function word(text: string): string {
  return text.replace(/[^A-Za-z0-9._-]/g, "");
}

function literal(address: string): string {
  return isIPv6(address) ? `IPv6:${address}` : address;
}

/** A date-time of RFC 5322 §3.3, in UTC. */
function dateTime(ms: number): string {
  return new Date(ms).toUTCString().replace("GMT", "+0000");
}
