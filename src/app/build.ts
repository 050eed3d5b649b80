import { randomUUID } from "node:crypto";
import { availableParallelism } from "node:os";
import { createVerificationCache } from "../auth/cache.ts";
import { createLogin, type Login } from "../auth/login.ts";
import { createPasswords } from "../auth/password.ts";
import { shareThrottle } from "../auth/shared-throttle.ts";
import { createThrottle } from "../auth/throttle.ts";
import type { ListenerTls } from "../config/listeners.ts";
import type { Config } from "../config/schema.ts";
import { createAccept } from "../intake/accept.ts";
import { Budget } from "../intake/budget.ts";
import { createContent } from "../intake/content.ts";
import { createRecipients } from "../intake/recipients.ts";
import type { Clock } from "../lib/clock.ts";
import { createMailboxes, type Mailboxes } from "../mailbox/open.ts";
import type { Quota } from "../model/quota.ts";
import type { Connection, ConnectionHandler } from "../net/connection.ts";
import { Crowd } from "../net/crowd.ts";
import type { ProtocolName } from "../net/protocol.ts";
import type { Log } from "../observe/log-port.ts";
import type { Metrics } from "../observe/metrics-port.ts";
import { POP3_BUSY_LINE, pop3Handler } from "../pop3/server.ts";
import type { SmtpPorts } from "../smtp/ports.ts";
import { smtpHandler } from "../smtp/server.ts";
import type { Store } from "../store/ports.ts";

/*
 * The composition root: the one file that knows every concrete class of the mail path, and wires them by plain calls.
 */

export type ProtocolParts = {
  readonly config: Config;
  readonly store: Store;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly clock: Clock;
  /** How many threads share the limits. */
  readonly threads: number;
  readonly cacheKey: Uint8Array;
};

type Accept = (connection: Connection) => ConnectionHandler;

/** What a listener of one protocol is given. */
export type Door = {
  readonly accept: (connection: Connection, tls: ListenerTls) => ConnectionHandler;
  readonly busyLine: string;
};

/** The protocols of one thread, ready to be listened for. */
export type Protocols = AsyncDisposable & {
  readonly doors: Readonly<Record<ProtocolName, Door>>;
  readonly crowd: Crowd;
  /** New connections are served by the new values; what is open keeps the old ones. */
  reload(config: Config): void;
  /** Ends the waits of refused logins. */
  stop(): void;
};

const SMTP_BUSY_LINE = "421 4.7.0 Too many connections, try again later\r\n";

/** Wires a protocol thread: doors → login and intake → mailbox → store. */
export function buildProtocols(parts: ProtocolParts): Protocols {
  const { store, log, metrics, clock, threads } = parts;
  let config = parts.config;
  const stopping = new AbortController();
  const passwords = createPasswords({
    metrics,
    concurrency: Math.max(1, Math.floor(availableParallelism() / threads)),
    queue: Math.max(1, Math.floor(config.limits.loginQueue / threads)),
  });
  const throttle = shareThrottle(createThrottle());
  const login = createLogin({
    directory: store.directory,
    passwords,
    throttle,
    cache: createVerificationCache({ key: parts.cacheKey, clock }),
    defaultDomain: () => config.auth.defaultDomain,
    clock,
    log,
    metrics,
    stopping: stopping.signal,
  });
  const mailboxes = createMailboxes({ store, clock, log, metrics });
  const crowd = new Crowd({ connections: Math.max(1, Math.floor(config.limits.connections / threads)), clock });
  const openContent = createContent({
    bodies: store.bodies,
    budget: new Budget(Math.floor(config.limits.bodyMemoryOctets / threads)),
  });

  const wire = (): Record<ProtocolName, (tls: ListenerTls) => Accept> => ({
    pop3: (tls) => pop3Door(parts, config, login, mailboxes, tls),
    smtp: (tls) => smtpDoor("smtp", parts, config, { login, mailboxes, openContent }, tls),
    submission: (tls) => smtpDoor("submission", parts, config, { login, mailboxes, openContent }, tls),
    lmtp: (tls) => smtpDoor("lmtp", parts, config, { login, mailboxes, openContent }, tls),
  });
  let doors = rememberByTls(wire());

  return {
    doors: {
      pop3: { accept: (connection, tls) => doors.pop3(tls)(connection), busyLine: POP3_BUSY_LINE },
      smtp: { accept: (connection, tls) => doors.smtp(tls)(connection), busyLine: SMTP_BUSY_LINE },
      submission: { accept: (connection, tls) => doors.submission(tls)(connection), busyLine: SMTP_BUSY_LINE },
      lmtp: { accept: (connection, tls) => doors.lmtp(tls)(connection), busyLine: SMTP_BUSY_LINE },
    },
    crowd,
    reload: (changed) => {
      config = changed;
      doors = rememberByTls(wire());
    },
    stop: () => stopping.abort(),
    [Symbol.asyncDispose]: async () => {
      stopping.abort();
      crowd[Symbol.dispose]();
      throttle[Symbol.dispose]();
      await passwords[Symbol.asyncDispose]();
    },
  };
}

/** One handler for each kind of listener, not one for each connection. */
function rememberByTls<K extends string>(
  makers: Record<K, (tls: ListenerTls) => Accept>,
): Record<K, (tls: ListenerTls) => Accept> {
  const remember = (make: (tls: ListenerTls) => Accept): ((tls: ListenerTls) => Accept) => {
    const made = new Map<ListenerTls, Accept>();
    return (tls) => {
      const known = made.get(tls) ?? make(tls);
      made.set(tls, known);
      return known;
    };
  };
  const entries = Object.entries<(tls: ListenerTls) => Accept>(makers).map(([name, make]) => [name, remember(make)]);
  return Object.fromEntries(entries) as Record<K, (tls: ListenerTls) => Accept>;
}

function pop3Door(parts: ProtocolParts, config: Config, login: Login, mailboxes: Mailboxes, mode: ListenerTls): Accept {
  return pop3Handler(
    {
      hostname: config.server.hostname,
      implementation: "Mailkeep",
      idleSeconds: config.limits.pop3IdleSeconds,
      writeStallSeconds: config.limits.pop3WriteStallSeconds,
      allowCleartext: config.auth.allowCleartext,
      stlsPossible: mode === "starttls",
    },
    {
      login: (credentials, peer, tls) => login(credentials, peer, { protocol: "pop3", tls }),
      openMaildrop: (identity, lost) => mailboxes.openMaildrop(identity, lost),
    },
    parts.log,
    parts.metrics,
  );
}

function smtpDoor(
  protocol: "smtp" | "submission" | "lmtp",
  parts: ProtocolParts,
  config: Config,
  rooms: { readonly login: Login; readonly mailboxes: Mailboxes; readonly openContent: SmtpPorts["openContent"] },
  mode: ListenerTls,
): Accept {
  const { store, log, metrics } = parts;
  const { limits, server } = config;
  const recipient = createRecipients({
    directory: store.directory,
    mail: store.mail,
    postmaster: server.postmaster,
    quota: defaultQuota(config),
  });
  return smtpHandler(
    protocol,
    {
      hostname: server.hostname,
      allowCleartext: config.auth.allowCleartext,
      startTls: mode === "starttls",
      limits: {
        messageOctets: limits.messageOctets,
        recipients: limits.smtpRecipients,
        idleSeconds: limits.smtpIdleSeconds,
        contentSeconds: CONTENT_SECONDS,
      },
    },
    {
      login: (credentials, peer, tls) => rooms.login(credentials, peer, { protocol, tls }),
      recipient,
      openContent: rooms.openContent,
      deliver: buildDeliver(parts, rooms.mailboxes),
    },
    log,
    metrics,
  );
}

// 50 MiB in this time is 15 kB/s: slower than any line on which mail is still sent.
const CONTENT_SECONDS = 3600;

/** The way in from a complete content to the commit. */
export function buildDeliver(
  parts: Pick<ProtocolParts, "config" | "clock">,
  mailboxes: Pick<Mailboxes, "append">,
): SmtpPorts["deliver"] {
  return createAccept({
    append: (delivery) => mailboxes.append(delivery),
    hostname: parts.config.server.hostname,
    clock: parts.clock,
    randomId: () => randomUUID().replaceAll("-", ""),
  });
}

/** What an account may hold that was given no figures of its own. */
export function defaultQuota(config: Config): Quota {
  return { octets: config.limits.mailboxOctets, messages: config.limits.mailboxMessages };
}
