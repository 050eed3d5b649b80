import type { MechanismPolicy } from "../../auth/engine/channel.ts";
import type { Credentials } from "../../auth/engine/credentials.ts";
import { err, ok } from "../../lib/result.ts";
import type { Address } from "../../model/address.ts";
import type { Envelope, Recipient } from "../../model/envelope.ts";
import type { AccountId, MailboxId } from "../../model/ids.ts";
import type { Client } from "../../model/peer.ts";
import type { ContentSink, Outcome, RecipientRefusal, SmtpPorts } from "../ports.ts";

/** What was handed over for delivery. */
export type Delivered = {
  readonly envelope: Envelope;
  readonly content: Buffer;
  readonly dotted: boolean;
  readonly perRecipient: boolean;
};

/**
 * A house whose memory is plain data: it keeps what it says it keeps, and its answers may be held back. Every account
 * has the password, and the token, "secret".
 */
export class House implements SmtpPorts {
  readonly accounts = new Map<string, RecipientRefusal | undefined>();
  readonly outcomes = new Map<string, Outcome>();
  readonly delivered: Delivered[] = [];
  /** Sinks that were opened and neither delivered nor discarded. */
  readonly open = new Set<MemorySink>();
  logins = 0;
  room = true;
  /** Octets after which a sink asks for a pause, until `resume` is called. */
  window = Infinity;
  /** What each port waits for before it answers. */
  held: Promise<void> | undefined;
  outage: Error | undefined;
  /** Whom the last login came from. */
  client: Client | undefined;
  /** Accounts that may no longer send. */
  readonly ended = new Set<string>();
  readonly #policy: MechanismPolicy;

  constructor(policy: MechanismPolicy) {
    this.#policy = policy;
  }

  readonly login: SmtpPorts["login"] = async (credentials, client) => {
    this.logins += 1;
    this.client = client;
    await this.#answer();
    const name = whoIs(credentials, client);
    return name !== undefined && this.accounts.has(name) ? ok({ address: name as Address }) : err("refused");
  };

  readonly scram: SmtpPorts["scram"] = async () => {
    await this.#answer();
    return { salt: Buffer.from("salt"), iterations: 4096, nonce: "server" };
  };

  readonly mechanisms: SmtpPorts["mechanisms"] = () => this.#policy;

  readonly stillAllowed: SmtpPorts["stillAllowed"] = async ({ address }) => {
    await this.#answer();
    return !this.ended.has(address);
  };

  readonly recipient: SmtpPorts["recipient"] = async (path) => {
    await this.#answer();
    const name = path.toLowerCase();
    if (!this.accounts.has(name)) return err(name.endsWith("@example.test") ? "unknown" : "elsewhere");
    const refusal = this.accounts.get(name);
    return refusal === undefined ? ok(recipientOf(path, [...this.accounts.keys()].indexOf(name) + 1)) : err(refusal);
  };

  readonly openContent: SmtpPorts["openContent"] = (_, ready) => {
    if (!this.room) return undefined;
    const sink = new MemorySink(this, ready);
    this.open.add(sink);
    return sink;
  };

  readonly deliver: SmtpPorts["deliver"] = async (envelope, content, perRecipient) => {
    const sink = content as MemorySink;
    await this.#answer();
    this.open.delete(sink);
    if (sink.failure) return envelope.recipients.map(() => sink.failure ?? "failed");
    this.delivered.push({ envelope, content: Buffer.concat(sink.pieces), dotted: sink.dotted, perRecipient });
    return envelope.recipients.map(({ asGiven }) => this.outcomes.get(asGiven.toLowerCase()) ?? "stored");
  };

  async #answer(): Promise<void> {
    await this.held;
    if (this.outage) throw this.outage;
  }
}

function whoIs(credentials: Credentials, client: Client): string | undefined {
  if (credentials.kind === "password") return credentials.password.reveal() === "secret" ? credentials.user : undefined;
  if (credentials.kind === "token") return credentials.token.reveal() === "secret" ? credentials.user : undefined;
  return credentials.kind === "certificate" ? client.certificate?.emails[0] : undefined;
}

class MemorySink implements ContentSink {
  octets = 0;
  dotted = false;
  failure: "full" | "failed" | undefined;
  readonly pieces: Buffer[] = [];
  readonly ready: () => void;
  readonly #house: House;
  #discarded = false;

  constructor(house: House, ready: () => void) {
    this.#house = house;
    this.ready = ready;
  }

  write(piece: Uint8Array): boolean {
    if (this.#discarded) throw new Error("a piece came after the content was discarded");
    this.octets += piece.length;
    this.pieces.push(Buffer.from(piece));
    return this.octets <= this.#house.window;
  }

  discard(): void {
    this.#discarded = true;
    this.#house.open.delete(this);
  }
}

function recipientOf(path: string, id: number): Recipient {
  const quota = { octets: 1e9, messages: 1e6 };
  const address = path.toLowerCase() as Address;
  return { asGiven: path, address, account: id as AccountId, mailbox: id as MailboxId, quota };
}
