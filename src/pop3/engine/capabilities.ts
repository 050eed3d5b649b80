import { usableMechanisms } from "../../auth/engine/mechanisms.ts";
import type { Effects } from "./effects.ts";
import { printable } from "./reply.ts";
import { maySendPassword, type Session } from "./session.ts";

/** One capability: when it is announced, with what, and where that is said. */
export type Capability = {
  readonly name: string;
  /** What it means to a client, for the reference. */
  readonly summary: string;
  readonly rfc: string;
  /** Its arguments now, "" where it takes none; undefined: it is not announced now. */
  readonly now: (session: Session) => string | undefined;
};

const always = (): string => "";

/**
 * One row a capability, in the order of CAPA's answer. All of them are announced in both states, so that a client that asks
 * once knows all (rule 2449-03), but STLS, which ends with AUTHORIZATION.
 */
export const capabilities: readonly Capability[] = [
  { name: "TOP", summary: "TOP is there.", rfc: "RFC 2449 §6.1", now: always },
  { name: "UIDL", summary: "UIDL is there.", rfc: "RFC 2449 §6.8", now: always },
  {
    name: "USER",
    summary: "USER and PASS are taken on this connection as it is: over TLS, or where the server allows clear text.",
    rfc: "RFC 2449 §6.2",
    now: (session) => (maySendPassword(session) ? "" : undefined),
  },
  {
    name: "RESP-CODES",
    summary: "A text that begins with `[` begins with a response code.",
    rfc: "RFC 2449 §6.4",
    now: always,
  },
  {
    name: "AUTH-RESP-CODE",
    summary: "`[AUTH]` is said of wrong credentials, always and of nothing else.",
    rfc: "RFC 3206 §6",
    now: always,
  },
  {
    name: "PIPELINING",
    summary: "Commands may be sent without waiting for the answers to earlier ones.",
    rfc: "RFC 2449 §6.6",
    now: always,
  },
  {
    name: "STLS",
    summary:
      "STLS can be said: before the login, on a connection without TLS. The one capability that goes with the login.",
    rfc: "RFC 2595 §4",
    now: ({ policy, channel, state }) =>
      policy.stlsPossible && !channel.secure && state.phase === "authorization" ? "" : undefined,
  },
  {
    name: "SASL",
    summary: "The mechanisms that AUTH takes on this connection as it is.",
    rfc: "RFC 5034 §3",
    now: sasl,
  },
  {
    name: "UTF8",
    summary: "UTF8 is there; `USER`: names and passwords may be UTF-8.",
    rfc: "RFC 6856 §2",
    now: () => "USER",
  },
  { name: "LANG", summary: "LANG is there.", rfc: "RFC 6856 §3", now: always },
  {
    name: "EXPIRE",
    summary:
      "After how many days mail may be removed, or `NEVER`. Before the login the shortest of all accounts, with `USER` where they differ; after it this account's own.",
    rfc: "RFC 2449 §6.7",
    now: expire,
  },
  {
    name: "LOGIN-DELAY",
    summary:
      "Seconds from one login to the next. Before the login the longest of all accounts, with `USER` where they differ; after it this account's own. Not announced where nobody has to wait.",
    rfc: "RFC 2449 §6.5",
    now: loginDelay,
  },
  {
    name: "IMPLEMENTATION",
    summary: "The server's name.",
    rfc: "RFC 2449 §6.9",
    now: ({ policy }) => printable(policy.implementation),
  },
];

/** CAPA (RFC 2449 §5); differs by the state of TLS (rule 2449-04). */
export function capa(session: Session, _: readonly string[], effects: Effects): void {
  effects.ok("");
  for (const { name, now } of capabilities) {
    const given = now(session);
    if (given !== undefined) effects.text += given === "" ? `${name}\r\n` : `${name} ${given}\r\n`;
  }
  effects.text += ".\r\n";
}

// No mechanism that shows the password is offered in clear text (rule SASL-06).
function sasl({ announced, channel }: Session): string | undefined {
  const names = usableMechanisms(announced.mechanisms, channel).map(({ name }) => name);
  return names.length === 0 ? undefined : names.join(" ");
}

// `EXPIRE 0` would say that nothing may stay on the server, which is never so here (rule 2449-07).
function expire({ announced, state }: Session): string {
  if (state.phase === "transaction") return days(state.person.expireDays);
  const { expire: all } = announced;
  return days(all.days) + (all.perUser ? " USER" : "");
}

function days(count: number): string {
  return count === 0 ? "NEVER" : String(count);
}

// What was announced before the login is announced after it, also to who need not wait (rule 2449-03).
function loginDelay({ announced, state }: Session): string | undefined {
  const { loginDelay: all } = announced;
  const own = state.phase === "transaction" ? state.person.loginDelaySeconds : undefined;
  if (all.seconds === 0 && (own ?? 0) === 0) return undefined;
  if (own !== undefined) return String(own);
  return `${all.seconds}${all.perUser ? " USER" : ""}`;
}
