import type { AccountDefaults } from "../admin/services.ts";
import { randomUUID } from "node:crypto";
import type { ListenerTls } from "../config/listeners.ts";
import type { Config } from "../config/schema.ts";
import { createAccept } from "../intake/accept.ts";
import { Budget } from "../intake/budget.ts";
import { createContent } from "../intake/content.ts";
import { createRecipients } from "../intake/recipients.ts";
import type { Clock } from "../lib/clock.ts";
import { err, ok } from "../lib/result.ts";
import type { CountsMemory } from "../lib/shared-counts.ts";
import { gatherTransfers } from "../mailbox/history.ts";
import { createMailboxes, type Mailboxes } from "../mailbox/open.ts";
import type { Quota } from "../model/quota.ts";
import type { Connection, ConnectionHandler } from "../net/connection.ts";
import { Crowd } from "../net/crowd.ts";
import { NetworkLimits, type NetworkLimitsMemory } from "../net/network-limits.ts";
import type { ProtocolName } from "../net/protocol.ts";
import type { Log } from "../observe/log-port.ts";
import type { Metrics } from "../observe/metrics-port.ts";
import { POP3_BUSY_LINE, pop3Handler } from "../pop3/server.ts";
import type { SmtpPorts } from "../smtp/ports.ts";
import { smtpHandler } from "../smtp/server.ts";
import type { Store } from "../store/ports.ts";
import { AccountSessions } from "./account-sessions.ts";
import { Announcements } from "./announced.ts";
import { buildLogin, type LoginHouse } from "./build-login.ts";
import { createStillAllowed } from "./still-allowed.ts";

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
  /** From 1. */
  readonly number: number;
  readonly networks: NetworkLimitsMemory;
  /** In which the sessions of each account are counted. */
  readonly accounts: CountsMemory;
  readonly secretKey: Uint8Array;
};

/** What the doors open into. */
type Rooms = ProtocolParts & {
  readonly house: LoginHouse;
  readonly announcements: Announcements;
  readonly mailboxes: Mailboxes;
  readonly sessions: AccountSessions;
  readonly openContent: SmtpPorts["openContent"];
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
export async function buildProtocols(parts: ProtocolParts): Promise<Protocols> {
  let config = parts.config;
  const current = () => config;
  await using built = new AsyncDisposableStack();
  const rooms = await openRooms(parts, current, built);
  const crowd = built.use(openCrowd(parts, current));
  const wire = (): Record<ProtocolName, (tls: ListenerTls) => Accept> => ({
    pop3: (tls) => pop3Door(rooms, config, tls),
    smtp: (tls) => smtpDoor("smtp", rooms, config, tls),
    submission: (tls) => smtpDoor("submission", rooms, config, tls),
    lmtp: (tls) => smtpDoor("lmtp", rooms, config, tls),
  });
  let doors = rememberByTls(wire());
  const door = (name: ProtocolName, busyLine: string): Door => ({
    accept: (connection, tls) => doors[name](tls)(connection),
    busyLine,
  });
  const held = built.move();

  return {
    doors: {
      pop3: door("pop3", POP3_BUSY_LINE),
      smtp: door("smtp", SMTP_BUSY_LINE),
      submission: door("submission", SMTP_BUSY_LINE),
      lmtp: door("lmtp", SMTP_BUSY_LINE),
    },
    crowd,
    reload: (changed) => {
      config = changed;
      doors = rememberByTls(wire());
    },
    stop: () => rooms.house.stop(),
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}

async function openRooms(parts: ProtocolParts, config: () => Config, built: AsyncDisposableStack): Promise<Rooms> {
  const { store, log, metrics, threads } = parts;
  const house = built.use(buildLogin({ ...parts, config }));
  const announcements = built.use(await Announcements.open(store.directory, config));
  const sessions = new AccountSessions(parts.accounts, parts.number, () => config().limits.sessionsPerAccount);
  const mailboxes = createMailboxes({
    ...parts,
    history: built.use(gatherTransfers({ history: store.history, log, metrics })),
    takeoverSeconds: () => config().limits.pop3TakeoverSeconds,
    undeleteDays: () => config().retention.undeleteDays,
    sessions,
  });
  const openContent = createContent({
    bodies: store.bodies,
    budget: new Budget(Math.floor(config().limits.bodyMemoryOctets / threads)),
    junkHeader: () => config().intake.junkHeader,
  });
  return { ...parts, house, announcements, mailboxes, sessions, openContent };
}

function openCrowd({ networks, number, threads, clock }: ProtocolParts, config: () => Config): Crowd {
  const limits = () => ({
    connections: config().limits.connectionsPerNetwork,
    perMinute: config().limits.connectionRatePerNetwork,
  });
  return new Crowd({
    connections: Math.max(1, Math.floor(config().limits.connections / threads)),
    clock,
    networks: new NetworkLimits(networks, { thread: number, limits, clock }),
  });
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

function pop3Door({ house, announcements, mailboxes, log, metrics }: Rooms, config: Config, mode: ListenerTls): Accept {
  return pop3Handler(
    {
      hostname: config.server.hostname,
      implementation: "Mailkeep",
      idleSeconds: config.limits.pop3IdleSeconds,
      writeStallSeconds: config.limits.pop3WriteStallSeconds,
      stlsPossible: mode === "starttls",
    },
    {
      login: (credentials, client) => house.login(credentials, client, { protocol: "pop3" }),
      scram: house.scram,
      announced: () => announcements.now,
      openMaildrop: (identity, opening, lost) => mailboxes.openMaildrop(identity, opening, lost),
    },
    log,
    metrics,
  );
}

function smtpDoor(protocol: "smtp" | "submission" | "lmtp", rooms: Rooms, config: Config, mode: ListenerTls): Accept {
  const { house, announcements, store, log, metrics } = rooms;
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
      startTls: mode === "starttls",
      limits: {
        messageOctets: limits.messageOctets,
        recipients: limits.smtpRecipients,
        idleSeconds: limits.smtpIdleSeconds,
        contentSeconds: CONTENT_SECONDS,
      },
    },
    {
      login: async (credentials, client, left) => {
        const login = await house.login(credentials, client, { protocol });
        if (!login.ok) return login;
        const session = rooms.sessions.enter(login.value.account);
        if (session === undefined) return err("crowded");
        void left.then(session.leave);
        return ok({ ...login.value, appPassword: login.value.device.appPassword });
      },
      scram: house.scram,
      mechanisms: () => announcements.now.mechanisms,
      stillAllowed: createStillAllowed({ store, clock: rooms.clock }),
      recipient,
      openContent: rooms.openContent,
      deliver: buildDeliver({ config, clock: rooms.clock }, rooms.mailboxes),
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

/** What holds for accounts that have no figure of their own, and for removed mail. */
export function accountDefaults({ retention, limits }: Config): AccountDefaults {
  return {
    expireDays: retention.expireDays,
    loginDelaySeconds: limits.pop3LoginDelaySeconds,
    undeleteDays: retention.undeleteDays,
  };
}
