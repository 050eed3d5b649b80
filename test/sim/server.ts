import { createAccept } from "../../src/intake/accept.ts";
import { Budget } from "../../src/intake/budget.ts";
import { createContent } from "../../src/intake/content.ts";
import { createRecipients } from "../../src/intake/recipients.ts";
import type { Clock } from "../../src/lib/clock.ts";
import { err, ok } from "../../src/lib/result.ts";
import { gatherTransfers } from "../../src/mailbox/history.ts";
import { createMailboxes } from "../../src/mailbox/open.ts";
import { parseAddress } from "../../src/model/address.ts";
import type { Connection, ConnectionHandler } from "../../src/net/connection.ts";
import type { Log } from "../../src/observe/log-port.ts";
import { pop3Handler } from "../../src/pop3/server.ts";
import type { Pop3Ports } from "../../src/pop3/ports.ts";
import type { SmtpPorts } from "../../src/smtp/ports.ts";
import { smtpHandler } from "../../src/smtp/server.ts";
import { assembleStore } from "../../src/store/assemble.ts";
import { BodyReader } from "../../src/store/bodies/body-reader.ts";
import { BufferPool } from "../../src/store/buffer-pool.ts";
import type { Disk } from "../../src/store/disk.ts";
import { layoutOf } from "../../src/store/layout.ts";
import { LeaseTable } from "../../src/store/leases.ts";
import type { Store } from "../../src/store/ports.ts";
import { createReads } from "../../src/store/reads.ts";
import type { Rows } from "../../src/store/rows.ts";
import { StoreLink } from "../../src/store/thread/link.ts";
import { writeVerbs } from "../../src/store/write/verbs.ts";
import { quietMetrics } from "./parts-quiet.ts";
import type { SimChannel, SimPort } from "./ports.ts";

/** What a server is configured with. */
export type Settings = {
  readonly takeoverSeconds: number;
  readonly undeleteDays: number;
  /** Of mail; 0: never. */
  readonly expireDays: number;
  /** Of dead octets. */
  readonly eraseDays: number;
  /** Octets of bodies in memory, of each thread. */
  readonly bodyMemoryOctets: number;
  readonly idleSeconds: number;
  readonly stallSeconds: number;
};

export type Protocol = "pop3" | "smtp" | "lmtp";

/** What a thread that uses the store is given. */
export type ThreadParts = {
  readonly folder: string;
  readonly disk: Disk;
  readonly rows: Rows;
  readonly port: SimPort;
  readonly channel: SimChannel;
  readonly leaseWords: SharedArrayBuffer;
  readonly number: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly onLost: (reason: string) => void;
};

/** A store as store/thread/client.ts makes it, over a disk and rows that are given. */
export function storeClient(parts: ThreadParts): Store {
  const { disk, rows, port, channel, leaseWords, number, clock, onLost } = parts;
  const layout = layoutOf(parts.folder);
  const reader = new BodyReader(disk, layout);
  const buffers = new BufferPool();
  const segmentsGone = reader.forget.bind(reader);
  const link = new StoreLink({ port: port.port, buffers, segmentsGone, onLost });
  return assembleStore({
    writes: writeVerbs((request) => link.submit(request)),
    reads: createReads(rows.openForReading(layout)),
    reader,
    buffers,
    leases: new LeaseTable(leaseWords, number, clock, channel.channel),
    disk,
    layout,
  });
}

type Accept = (connection: Connection) => ConnectionHandler;

/** The protocols of one thread, as app/build.ts wires them. */
export function protocols(store: Store, settings: Settings, { clock, log }: ThreadParts): Record<Protocol, Accept> {
  const metrics = quietMetrics;
  const mailboxes = createMailboxes({
    store,
    clock,
    log,
    metrics,
    history: gatherTransfers({ history: store.history, log, metrics }),
    takeoverSeconds: () => settings.takeoverSeconds,
    undeleteDays: () => settings.undeleteDays,
  });
  const openContent = createContent({ bodies: store.bodies, budget: new Budget(settings.bodyMemoryOctets) });
  let ids = 0;
  const smtp: SmtpPorts = {
    login: () => Promise.resolve(err("unavailable")),
    scram: () => Promise.reject(new Error("nobody asks")),
    mechanisms: () => NO_MECHANISMS,
    stillAllowed: () => Promise.resolve(true),
    recipient: createRecipients({
      directory: store.directory,
      mail: store.mail,
      postmaster: undefined,
      quota: { octets: 2 ** 40, messages: 2 ** 30 },
    }),
    openContent,
    deliver: createAccept({
      append: (delivery) => mailboxes.append(delivery),
      hostname: HOSTNAME,
      clock,
      randomId: () => {
        ids += 1;
        return `delivery${ids}`;
      },
    }),
  };
  const options = {
    hostname: HOSTNAME,
    startTls: false,
    limits: { messageOctets: 2 ** 20, recipients: 10, idleSeconds: settings.idleSeconds, contentSeconds: 3600 },
  };
  return {
    pop3: pop3Handler(pop3Options(settings), pop3Ports(store, mailboxes), log, metrics),
    smtp: smtpHandler("smtp", options, smtp, log, metrics, clock),
    lmtp: smtpHandler("lmtp", options, smtp, log, metrics, clock),
  };
}

const HOSTNAME = "mail.example.test";
const NO_MECHANISMS = {
  allowCleartext: true,
  scram: false,
  scramSha1: false,
  oauth: false,
  clientCertificates: false,
};

function pop3Options({ idleSeconds, stallSeconds }: Settings) {
  return {
    hostname: HOSTNAME,
    implementation: "Mailkeep",
    idleSeconds,
    writeStallSeconds: stallSeconds,
    stlsPossible: false,
  };
}

function pop3Ports(store: Store, mailboxes: Pick<Pop3Ports, "openMaildrop">): Pop3Ports {
  const announced = {
    mechanisms: NO_MECHANISMS,
    expire: { days: 0, perUser: false },
    loginDelay: { seconds: 0, perUser: false },
  };
  return {
    scram: () => Promise.reject(new Error("nobody asks")),
    announced: () => announced,
    openMaildrop: (identity, opening, lost) => mailboxes.openMaildrop(identity, opening, lost),
    // Who may log in is not what is proved here: a name is believed, and its password is the device.
    login: async (credentials) => {
      if (credentials.kind !== "password") return err("refused");
      const address = parseAddress(credentials.user);
      const account = address.ok ? await store.directory.account(address.value) : undefined;
      if (!account?.enabled) return err("refused");
      const name = credentials.password.reveal();
      const device = { appPassword: null, name, noDelete: false, mark: markOf(name) };
      const { id, inbox } = account;
      return ok({
        account: id,
        address: account.address,
        mailbox: inbox,
        device,
        language: undefined,
        expireDays: 0,
        loginDelaySeconds: 0,
      });
    },
  };
}

function markOf(device: string): number {
  let mark = 7;
  for (const character of device) mark = (Math.imul(mark, 31) + character.charCodeAt(0)) | 0;
  return mark || 1;
}
