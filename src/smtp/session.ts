import type { Clock } from "../lib/clock.ts";
import type { Line } from "../lib/lines.ts";
import { err } from "../lib/result.ts";
import type { Channel } from "../auth/engine/channel.ts";
import type { ScramFacts } from "../auth/engine/mechanism.ts";
import type { Client } from "../model/peer.ts";
import type { Connection } from "../net/connection.ts";
import type { Drive, Driven } from "../net/drive.ts";
import type { Log } from "../observe/log-port.ts";
import { type Effect, type Input, newSession, NO_MECHANISMS, type Session, type Settings } from "./engine/session.ts";
import { readContent, step, takesContent } from "./engine/step.ts";
import type { ContentSink, Outcome, SmtpPorts } from "./ports.ts";
import type { SmtpLimits } from "./options.ts";
import type { SmtpMetrics } from "./smtp-metrics.ts";

/** What all sessions of one listener share. */
export type SessionParts = Readonly<{
  settings: Settings;
  limits: SmtpLimits;
  ports: SmtpPorts;
  log: Log;
  metrics: SmtpMetrics;
  clock: Clock;
}>;

type Question = Extract<Effect, { readonly do: "recipient" | "login" | "scram" | "allowed" }>;
type Deliver = Extract<Effect, { readonly do: "deliver" }>;

// A port that has not answered by then will not (P9). The client tries again; at worst that makes a second copy.
const PORT_SECONDS = 300;
/** Slower than this, after the seconds that silence may last, is a client that holds on rather than one that sends. */
const SLOWEST_OCTETS_A_SECOND = 1024;

/** Carries out what the engine decides for one connection, and brings it the answers of the house. */
export class SmtpSession implements Driven {
  readonly #drive: Drive;
  readonly #parts: SessionParts;
  readonly #session: Session;
  readonly #effects: Effect[] = [];
  #sink: ContentSink | undefined;
  #sinkBusy = false;
  #gone = false;
  // Made at the first login; few sessions of SMTP have one.
  #left: PromiseWithResolvers<void> | undefined;
  // The client has completed a line or a content, or the house has answered, since the last tick.
  #stirred = true;
  #quietSince = 0;
  #contentSince: number | undefined;

  constructor(drive: Drive, parts: SessionParts) {
    const { peer, tls } = drive.connection;
    this.#drive = drive;
    this.#parts = parts;
    this.#session = newSession(parts.settings, peer, tls, channelOf(drive.connection));
    this.#step({ kind: "connected" });
  }

  line(line: Line): void {
    const { settings, ports } = this.#parts;
    const policy = settings.protocol === "submission" ? ports.mechanisms() : NO_MECHANISMS;
    this.#step({ kind: "line", line, behind: this.#drive.behind, policy });
  }

  content(octets: Buffer): number {
    const taken = readContent(this.#session, octets, this.#effects);
    if (!takesContent(this.#session)) this.#stirred = true;
    this.#carryOut();
    return taken;
  }

  secured(): void {
    const { connection } = this.#drive;
    this.#step({ kind: "secured", tls: connection.tls, channel: channelOf(connection) });
  }

  shutdown(): void {
    this.#step({ kind: "shutdown" });
  }

  stalled(): void {
    // There is nobody to tell; `closed` follows.
  }

  /** What is being delivered goes on: whether the client hears of it changes nothing about it. */
  closed(): void {
    this.#gone = true;
    this.#left?.resolve();
    this.#discard();
  }

  /** A line must be whole in time, a content must keep coming, and the house must answer. */
  tick(now: number): void {
    const { waiting } = this.#session;
    if (this.#stirred || waiting === "tls") this.#quietSince = now;
    this.#stirred = false;
    const content = takesContent(this.#session);
    if (content || this.#sink) this.#contentSince ??= now;
    else this.#contentSince = undefined;
    const quiet = (now - (content ? this.#drive.connection.lastProgress : this.#quietSince)) / 1000;
    if (waiting !== undefined) {
      if (quiet > PORT_SECONDS) this.#step({ kind: "timeout", reason: "house" });
    } else if (this.#isSlow(now)) this.#step({ kind: "timeout", reason: "slow" });
    else if (quiet > this.#parts.limits.idleSeconds && !this.#sinkBusy) this.#step({ kind: "timeout", reason: "idle" });
  }

  #isSlow(now: number): boolean {
    if (this.#contentSince === undefined) return false;
    const { idleSeconds, contentSeconds } = this.#parts.limits;
    const octets = this.#session.mail?.incoming?.octets ?? 0;
    const allowed = Math.min(contentSeconds, idleSeconds + octets / SLOWEST_OCTETS_A_SECOND);
    return now - this.#contentSince > allowed * 1000;
  }

  #step(input: Input): void {
    this.#stirred = true;
    step(this.#session, input, this.#effects);
    this.#carryOut();
  }

  /** Does what the steps led to, in order; "open" is answered at once and may add more. */
  #carryOut(): void {
    for (let i = 0; i < this.#effects.length; i += 1) this.#do(this.#effects[i] as Effect);
    this.#effects.length = 0;
    this.#drive.takeContent(takesContent(this.#session));
    if (this.#session.waiting !== undefined) this.#drive.hold();
  }

  #do(effect: Effect): void {
    if (typeof effect === "string") return this.#drive.say(effect);
    const { metrics, log, settings } = this.#parts;
    const { peer } = this.#session;
    const facts = { protocol: settings.protocol, peer: peer.address };
    switch (effect.do) {
      case "count":
        return metrics.commands[effect.command].add();
      case "recipient":
      case "login":
      case "scram":
      case "allowed":
        return this.#askHouse(effect);
      case "open":
        return this.#open(effect.expected);
      case "content":
        return this.#write(effect.octets);
      case "discard":
        return this.#discard();
      case "deliver":
        return this.#deliver(effect);
      case "secure":
        return this.#drive.startTls();
      case "refused":
        metrics.refused.get(effect.reason)?.add();
        return log.info("smtp.refused", {
          ...facts,
          reason: effect.reason,
          sender: effect.sender,
          recipient: effect.recipient,
        });
      case "attack":
        return log.warn("smtp.attack", { ...facts, kind: effect.kind });
      case "close":
        return this.#drive.end();
    }
  }

  #leaving(): PromiseWithResolvers<void> {
    this.#left ??= Promise.withResolvers();
    if (this.#gone) this.#left.resolve();
    return this.#left;
  }

  #askHouse(effect: Question): void {
    const { ports } = this.#parts;
    switch (effect.do) {
      case "recipient": {
        const ask = (): ReturnType<SmtpPorts["recipient"]> => ports.recipient(effect.path, effect.octets);
        return this.#ask("recipient", ask, err("unavailable"), (result) => ({ kind: "recipient", result }));
      }
      case "login": {
        const ask = (): ReturnType<SmtpPorts["login"]> =>
          ports.login(effect.credentials, clientOf(this.#drive.connection), this.#leaving().promise);
        return this.#ask("login", ask, err("unavailable"), (result) => ({ kind: "login", result }));
      }
      case "scram": {
        const ask = (): ReturnType<SmtpPorts["scram"]> => ports.scram(effect.question, this.#session.peer);
        return this.#ask<ScramFacts | undefined>("scram", ask, undefined, (facts) => ({ kind: "scram", facts }));
      }
      case "allowed": {
        const ask = (): Promise<boolean> => ports.stillAllowed(effect.submitter);
        return this.#ask<boolean | undefined>("allowed", ask, undefined, (allowed) => ({ kind: "allowed", allowed }));
      }
    }
  }

  #open(expected: number): void {
    const sink: ContentSink | undefined = this.#parts.ports.openContent(expected, () => this.#sinkReady(sink));
    this.#sink = sink;
    step(this.#session, { kind: "opened", ok: sink !== undefined }, this.#effects);
  }

  #write(octets: Uint8Array): void {
    this.#parts.metrics.receivedOctets.add(octets.length);
    if (this.#sink?.write(octets) !== false || this.#sinkBusy) return;
    // What has been read already the sink takes; nothing more is read, so that nothing is held twice.
    this.#sinkBusy = true;
    this.#drive.connection.pause();
  }

  #sinkReady(sink: ContentSink | undefined): void {
    // A sink that was handed over or dropped may still call.
    if (sink !== undefined && sink === this.#sink) this.#readOn();
  }

  #readOn(): void {
    if (!this.#sinkBusy) return;
    this.#sinkBusy = false;
    this.#drive.connection.resume();
  }

  #discard(): void {
    this.#sink?.discard();
    this.#sink = undefined;
    this.#readOn();
  }

  #deliver(effect: Deliver): void {
    const { ports, settings, clock } = this.#parts;
    const sink = this.#sink;
    if (!sink) throw new Error("a delivery without a content");
    const { envelope } = effect;
    const began = clock.monotonic();
    sink.dotted = effect.dotted;
    this.#sink = undefined;
    this.#readOn();
    const outage = envelope.recipients.map((): Outcome => "failed");
    this.#ask(
      "deliver",
      () => ports.deliver(envelope, sink, settings.protocol === "lmtp"),
      outage,
      (each) => {
        this.#tell(effect, sink.octets, each, (clock.monotonic() - began) / 1000);
        return { kind: "delivered", outcomes: each };
      },
    );
  }

  #tell({ envelope }: Deliver, octets: number, each: readonly Outcome[], seconds: number): void {
    const { metrics, log, settings } = this.#parts;
    const { sender, peer, recipients } = envelope;
    const facts = { protocol: settings.protocol, peer: peer.address, sender };
    let stored = 0;
    for (const [i, outcome] of each.entries()) {
      metrics.outcomes[outcome].add();
      if (outcome === "stored") stored += 1;
      else log.info("smtp.refused", { ...facts, reason: outcome, recipient: recipients[i]?.asGiven ?? "" });
    }
    metrics.deliverySeconds.observe(seconds);
    if (stored > 0) log.info("smtp.delivered", { ...facts, recipients: stored, octets, seconds });
  }

  #ask<T>(asked: string, question: () => Promise<T>, outage: T, input: (answer: T) => Input): void {
    void this.#answer(asked, question, outage, input);
  }

  /** Asks the house and goes on with its answer; no answer is an outage. Never rejects. */
  async #answer<T>(asked: string, question: () => Promise<T>, outage: T, input: (answer: T) => Input): Promise<void> {
    let answer = outage;
    try {
      answer = await question();
    } catch (cause) {
      const reason = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
      const { peer } = this.#session;
      const { log, settings } = this.#parts;
      log.error("smtp.unavailable", { protocol: settings.protocol, peer: peer.address, asked, reason });
    }
    try {
      const told = input(answer);
      if (this.#gone) return;
      this.#step(told);
      if (this.#session.mode !== "closed") this.#drive.go();
    } catch (cause) {
      this.#drive.connection.fail(cause);
    }
  }
}

/** What mechanisms may know of a connection. */
function channelOf(connection: Connection): Channel {
  const { tls } = connection;
  return {
    secure: tls !== undefined,
    binding: (type) => connection.binding(type),
    clientCertificate: tls?.certificate !== undefined,
  };
}

function clientOf({ peer, tls }: Connection): Client {
  const client = { peer, tls: tls?.version ?? "" };
  return tls?.certificate === undefined ? client : { ...client, certificate: tls.certificate };
}
