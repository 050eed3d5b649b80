import { systemClock } from "../lib/clock.ts";
import type { Line } from "../lib/lines.ts";
import type { Result } from "../lib/result.ts";
import type { Uid } from "../model/ids.ts";
import type { Drive, Driven } from "../net/drive.ts";
import type { Log } from "../observe/log-port.ts";
import { channelOf, clientOf } from "./channel.ts";
import type { Answer, Outage } from "./engine/answers.ts";
import { Effects, type Action } from "./engine/effects.ts";
import type { ListingText } from "./engine/listing-text.ts";
import { greeting } from "./engine/reply.ts";
import { newSession, type Session } from "./engine/session.ts";
import { step, type Input } from "./engine/step.ts";
import type { Pop3Options } from "./options.ts";
import type { Pop3Metrics, SessionEnd } from "./pop3-metrics.ts";
import type { Identity, LoginRefusal, OpenMaildrop, Pop3Ports } from "./ports.ts";
import { newSessionName } from "./session-names.ts";
import { Sending, type SendingEnd } from "./sending.ts";

// A port that has not answered by then will not: the session ends, and what comes later is given back (P9).
const PORT_SECONDS = 120;
// While the server stops, who is silent for so long is not in the middle of anything.
const QUIET_SECONDS = 5;

/** Carries out what the engine decides over one connection. */
export class Pop3Session implements Driven {
  readonly #options: Pop3Options;
  readonly #drive: Drive;
  readonly #ports: Pop3Ports;
  readonly #log: Log;
  readonly #metrics: Pop3Metrics;
  readonly #session: Session;
  readonly #effects = new Effects();
  #identity: Identity | undefined;
  #maildrop: OpenMaildrop | undefined;
  #sending: Sending | undefined;
  // The message that RETR, and not TOP, is sending.
  #retrieving: Uid | undefined;
  // The session's name in log and history.
  #name = "";
  // The engine waits for an answer: of a port, or that the client has taken something.
  #waiting = false;
  #secondsWaited = 0;
  #seenProgress = 0;
  #lastCommand: number;
  #stopping = false;
  #updating = false;
  #closed = false;
  // What the log says of the session at its end.
  #end: SessionEnd = "lost";
  #openedAt = 0;
  #messagesSent = 0;
  #octetsSent = 0;
  #removed = 0;

  constructor(options: Pop3Options, drive: Drive, ports: Pop3Ports, log: Log, metrics: Pop3Metrics) {
    this.#options = options;
    this.#drive = drive;
    this.#ports = ports;
    this.#log = log;
    this.#metrics = metrics;
    this.#session = newSession(options, channelOf(drive.connection), ports.announced());
    this.#lastCommand = drive.connection.lastProgress;
    drive.say(greeting(options.hostname));
  }

  line(line: Line): void {
    this.#lastCommand = this.#drive.connection.lastProgress;
    // What CAPA and AUTH say is as of now; after a login it stays what it was then (rule 2449-03).
    if (this.#maildrop === undefined) this.#session.announced = this.#ports.announced();
    this.#take(line);
  }

  /** POP3 has no content from the client. */
  content(octets: Buffer): number {
    return octets.length;
  }

  secured(): void {
    this.#answer({ kind: "secured", channel: channelOf(this.#drive.connection) });
  }

  shutdown(): void {
    // Before a login nothing is lost by closing; after it the client may go on to its QUIT within the drain time.
    if (this.#maildrop !== undefined) this.#stopping = true;
    else if (this.#waiting) this.#drive.destroy();
    else this.#drive.end();
  }

  stalled(): void {
    this.#end = "stalled";
  }

  tick(now: number): void {
    const { connection } = this.#drive;
    const progressed = connection.lastProgress !== this.#seenProgress;
    this.#seenProgress = connection.lastProgress;
    if (progressed) this.#maildrop?.touch();
    if (this.#waiting) {
      // While something is unsent it is the client that is waited for, and the write stall has its own deadline.
      this.#secondsWaited = progressed || connection.unsent > 0 ? 0 : this.#secondsWaited + 1;
      if (this.#secondsWaited > PORT_SECONDS) this.#drive.destroy();
      return;
    }
    const silentMs = now - this.#lastCommand;
    if (silentMs > this.#options.idleSeconds * 1000) this.#endSilently("idle");
    else if (this.#stopping && silentMs > QUIET_SECONDS * 1000) this.#endSilently("shutdown");
  }

  closed(): void {
    this.#closed = true;
    if (this.#sending !== undefined) this.#endSending(this.#sending, "cut");
    if (!this.#updating) this.#finish();
  }

  // RFC 1939 §3 closes without a response, which the client would take for the answer to its next command (rule 1939-06).
  #endSilently(end: SessionEnd): void {
    this.#end = end;
    this.#drive.end();
  }

  #take(input: Input): void {
    const effects = this.#effects;
    step(this.#session, input, effects);
    if (effects.command !== undefined) {
      this.#metrics.commands.get(effects.command)?.add();
      effects.command = undefined;
    }
    if (effects.text !== "") {
      this.#drive.say(effects.text);
      effects.text = "";
    }
    const { action } = effects;
    if (action === undefined) return;
    effects.action = undefined;
    this.#act(action);
  }

  #act(action: Action): void {
    const { connection } = this.#drive;
    switch (action.kind) {
      case "login":
        return this.#ask(
          this.#ports.login(action.credentials, clientOf(connection)),
          (login) => this.#loggedIn(login),
          (reason) => ({ kind: "not-logged-in", reason }),
        );
      case "ask":
        return this.#ask(
          this.#ports.scram(action.question, connection.peer),
          (facts) => ({ kind: "answered", facts }),
          (reason) => ({ kind: "not-answered", reason }),
        );
      case "open":
        return this.#open(action.utf8);
      case "load":
        return this.#ask(
          this.#opened().listing(),
          (listing) => ({ kind: "loaded", listing }),
          (reason) => ({ kind: "not-loaded", reason }),
        );
      case "list":
        this.#wait();
        return this.#list(action.text);
      case "send":
        return this.#send(action);
      case "update":
        return this.#update(action.uids);
      case "upgrade":
        return this.#take({ kind: "upgrade", octetsBehind: this.#drive.behind });
      case "handshake":
        this.#wait();
        return this.#drive.startTls();
      case "close":
        if (action.attack !== undefined)
          this.#log.warn("pop3.attack", { kind: action.attack, peer: connection.peer.address });
        return this.#drive.end();
    }
  }

  #wait(): void {
    this.#waiting = true;
    this.#secondsWaited = 0;
    this.#drive.hold();
  }

  #answer(answer: Answer): void {
    if (this.#closed) return;
    this.#waiting = false;
    this.#lastCommand = this.#drive.connection.lastProgress;
    this.#take(answer);
    if (!this.#waiting) this.#drive.go();
  }

  // `answered` is called even when the connection is gone, since what it got may have to be given back.
  #ask<T>(question: Promise<T>, answered: (value: T) => Answer, failed: (outage: Outage) => Answer): void {
    this.#wait();
    question
      .then(answered, (cause: unknown) => {
        const account = this.#identity?.address ?? "";
        const peer = this.#drive.connection.peer.address;
        this.#log.error("pop3.unavailable", { account, peer, reason: reasonOf(cause) });
        return failed(outageOf(cause));
      })
      .then((answer) => this.#answer(answer))
      .catch((cause: unknown) => this.#drive.connection.fail(cause));
  }

  #loggedIn(login: Result<Identity, LoginRefusal>): Answer {
    this.#identity = login.ok ? login.value : undefined;
    if (!login.ok) return { kind: "not-logged-in", reason: login.error };
    const { language, expireDays, loginDelaySeconds, device, serverSignature } = login.value;
    const person = { language, expireDays, loginDelaySeconds, noDelete: device.noDelete, serverSignature };
    return { kind: "logged-in", person };
  }

  #open(utf8: boolean): void {
    const identity = this.#identity;
    if (identity === undefined) throw new Error("a maildrop is opened after a login");
    this.#name = newSessionName();
    const opening = { peer: this.#drive.connection.peer, session: this.#name, utf8 };
    this.#ask(
      this.#ports.openMaildrop(identity, opening, () => this.#lost()),
      (open) => {
        if (!open.ok) return { kind: "not-opened", reason: open.error };
        this.#begin(open.value);
        return { kind: "opened", messages: open.value.messages, octets: open.value.octets };
      },
      (reason) => ({ kind: "not-opened", reason }),
    );
  }

  #begin(maildrop: OpenMaildrop): void {
    // The client went while its maildrop was opened: the lease goes with it.
    if (this.#closed) return maildrop.release();
    this.#maildrop = maildrop;
    this.#openedAt = systemClock.monotonic();
    this.#metrics.open.add(1);
  }

  #opened(): OpenMaildrop {
    if (this.#maildrop === undefined) throw new Error("TRANSACTION has an open maildrop");
    return this.#maildrop;
  }

  // Another session has the lease now: whatever this one would say or remove is void.
  #lost(): void {
    if (this.#closed) return;
    this.#end = "taken_over";
    this.#drive.destroy();
  }

  // A kernel that takes a slice at once says so before the loop has turned: others have their turn between two slices.
  #list(text: ListingText): void {
    if (text.done) this.#answer({ kind: "listed" });
    else this.#drive.write(text.next(), () => setImmediate(() => this.#list(text)));
  }

  #send(action: Extract<Action, { kind: "send" }>): void {
    this.#wait();
    const sending = new Sending(this.#drive, this.#opened().read(action.uid), action, (end) =>
      this.#sent(sending, end),
    );
    this.#sending = sending;
    // TOP is no transfer: nobody has the message by it.
    if (action.lines === undefined) this.#retrieving = action.uid;
    sending.pull();
  }

  #endSending(sending: Sending, end: SendingEnd): void {
    sending.close();
    this.#sending = undefined;
    this.#octetsSent += sending.octets;
    this.#metrics.octetsSent.add(sending.octets);
    const uid = this.#retrieving;
    if (uid === undefined) return;
    this.#retrieving = undefined;
    const whole = end === "sent";
    // Of a message that was refused nothing has left, and the client was told so.
    if (whole || end === "cut") this.#opened().transferred(uid, sending.handed, whole);
    if (!whole) return;
    this.#messagesSent += 1;
    this.#metrics.messagesSent.add();
  }

  #sent(sending: Sending, end: SendingEnd): void {
    this.#endSending(sending, end);
    if (end === "cut") {
      this.#end = "damaged";
      return this.#drive.reset();
    }
    this.#answer(end === "sent" ? { kind: "sent" } : { kind: "not-sent", reason: end });
  }

  #update(uids: Uint32Array): void {
    if (uids.length === 0) {
      this.#end = "quit";
      this.#opened().release();
      return this.#take({ kind: "updated", outcome: "done" });
    }
    this.#wait();
    // Only a client that has everything it was promised gives its mail away (DESIGN, QUIT).
    this.#drive.flush(() => {
      this.#updating = true;
      this.#opened()
        .update(uids)
        .then(
          (update) => this.#updated(update),
          () => this.#updated({ ok: false, error: "failed" }),
        )
        .catch((cause: unknown) => this.#drive.connection.fail(cause));
    });
  }

  #updated(update: Awaited<ReturnType<OpenMaildrop["update"]>>): void {
    this.#updating = false;
    if (update.ok) {
      this.#end = "quit";
      this.#removed = update.value.removed;
      this.#metrics.messagesRemoved.add(update.value.removed);
    } else this.#end = update.error === "lost" ? "taken_over" : "update_failed";
    // The session is over, however long the client takes to close.
    this.#finish();
    if (this.#closed) return;
    const outcome = !update.ok ? update.error : update.value.kept === undefined ? "done" : "partly";
    this.#answer({ kind: "updated", outcome });
  }

  #finish(): void {
    const maildrop = this.#maildrop;
    if (maildrop === undefined) return;
    this.#maildrop = undefined;
    maildrop.release();
    this.#metrics.open.add(-1);
    this.#metrics.ended(this.#end).add();
    const { connection } = this.#drive;
    this.#log.info("pop3.session", {
      session: this.#name,
      account: this.#identity?.address ?? "",
      device: this.#identity?.device.name ?? "",
      peer: connection.peer.address,
      tls: connection.tls?.version ?? "",
      cipher: connection.tls?.cipher ?? "",
      end: this.#end,
      sent: this.#messagesSent,
      octets: this.#octetsSent,
      removed: this.#removed,
      seconds: Math.round(systemClock.monotonic() - this.#openedAt) / 1000,
    });
  }
}

// A StoreError says which of the two it is; the store is not known here, so only its word is looked at (rule 3206-01).
function outageOf(cause: unknown): Outage {
  const damaged = typeof cause === "object" && cause !== null && "kind" in cause && cause.kind === "damaged";
  return damaged ? "damaged" : "unavailable";
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
}
