import type { Channel } from "../../auth/engine/channel.ts";
import { unreachable } from "../../lib/assert.ts";
import { LineSplitter } from "../../lib/lines.ts";
import type { Announced } from "../engine/announced.ts";
import type { Answer, Outage } from "../engine/answers.ts";
import { Effects, type Action } from "../engine/effects.ts";
import { Outgoing } from "../engine/outgoing.ts";
import { greeting } from "../engine/reply.ts";
import { newSession, type Person, type Policy, type Session } from "../engine/session.ts";
import { LINE_OCTETS, step, type Input } from "../engine/step.ts";
import { knows, scramFacts } from "./credentials.ts";

/** A message of a transcript's maildrop; `fault`: what its reader says instead of giving it. */
export type WorldMessage = {
  readonly text: string;
  /** The same without UTF8. */
  readonly ascii: string;
  readonly uidl: string | undefined;
  fault: "damaged" | "gone" | "failed" | "utf8" | undefined;
};

/** What a transcript gives. */
export type Given = {
  policy: Policy;
  announced: Announced;
  tls: boolean;
  binding: boolean;
  certificate: boolean;
  person: Person;
  messages: WorldMessage[];
  login: "throttled" | Outage | undefined;
  facts: Outage | undefined;
  open: "in-use" | "login-delay" | Outage | undefined;
  listing: Outage | "short" | undefined;
  update: "partly" | "lost" | "full" | "failed" | undefined;
};

/** The world with a user `tim`, whose password is `tanstaaf`, and no mail. */
export function newGiven(): Given {
  return {
    policy: { hostname: "pop.example.com", implementation: "Mailkeep", stlsPossible: true },
    announced: newAnnounced(),
    tls: true,
    binding: false,
    certificate: false,
    person: {
      language: undefined,
      expireDays: 0,
      loginDelaySeconds: 0,
      noDelete: false,
      serverSignature: undefined,
    },
    messages: [],
    login: undefined,
    facts: undefined,
    open: undefined,
    listing: undefined,
    update: undefined,
  };
}

/** Passwords over TLS only, nothing else on, nothing that expires. */
export function newAnnounced(): Announced {
  return {
    mechanisms: { allowCleartext: false, scram: false, scramSha1: false, oauth: false, clientCertificates: false },
    expire: { days: 0, perUser: false },
    loginDelay: { seconds: 0, perUser: false },
  };
}

/**
 * Carries out the engine's actions at once, over a world that is plain data: a transcript's server without a socket.
 * What it says is kept in `said`, latin1.
 */
export class World {
  said = "";
  closed = false;
  attack: string | undefined;
  readonly given: Given;
  readonly #session: Session;
  readonly #effects = new Effects();
  readonly #splitter = new LineSplitter({ maximum: LINE_OCTETS, bareLf: true });
  #utf8 = false;
  removed: readonly number[] | undefined;

  constructor(given: Given) {
    this.given = given;
    this.#session = newSession(given.policy, channelOf(given, given.tls), given.announced);
    this.said = greeting(given.policy.hostname);
  }

  /** Octets of the client, latin1. */
  hear(octets: string): void {
    this.#splitter.push(Buffer.from(octets, "latin1"));
    for (let line = this.#splitter.next(); line !== undefined; line = this.#splitter.next()) this.#take(line);
  }

  #take(input: Input): void {
    step(this.#session, input, this.#effects);
    const { text, action } = this.#effects;
    this.#effects.text = "";
    this.#effects.action = undefined;
    this.said += text;
    if (action?.kind === "close") {
      this.closed = true;
      this.attack = action.attack;
    } else if (action !== undefined) this.#take(this.#carryOut(action));
  }

  #carryOut(action: Exclude<Action, { kind: "close" }>): Answer {
    const { given } = this;
    switch (action.kind) {
      case "login":
        return this.#login(action);
      case "ask":
        if (given.facts !== undefined) return { kind: "not-answered", reason: given.facts };
        return { kind: "answered", facts: scramFacts };
      case "open":
        if (given.open !== undefined) return { kind: "not-opened", reason: given.open };
        this.#utf8 = action.utf8;
        return { kind: "opened", messages: given.messages.length, octets: this.#octets() };
      case "load":
        if (given.listing === "short") return { kind: "loaded", listing: this.#listing(given.messages.slice(1)) };
        if (given.listing !== undefined) return { kind: "not-loaded", reason: given.listing };
        return { kind: "loaded", listing: this.#listing(given.messages) };
      case "list":
        while (!action.text.done) this.said += action.text.next();
        return { kind: "listed" };
      case "send":
        return this.#send(action);
      case "update":
        this.removed =
          given.update === undefined
            ? [...action.uids]
            : given.update === "partly"
              ? Array.from(action.uids.subarray(1))
              : [];
        return { kind: "updated", outcome: given.update ?? "done" };
      case "upgrade":
        return { kind: "upgrade", octetsBehind: this.#splitter.held };
      case "handshake":
        this.#splitter.drop(this.#splitter.held);
        return { kind: "secured", channel: channelOf(given, true) };
      default:
        return unreachable(action);
    }
  }

  #login({ credentials }: Extract<Action, { kind: "login" }>): Answer {
    const { login, person, certificate } = this.given;
    if (login !== undefined) return { kind: "not-logged-in", reason: login };
    const known = knows(credentials, certificate);
    if (known === undefined) return { kind: "not-logged-in", reason: "refused" };
    return { kind: "logged-in", person: { ...person, ...known } };
  }

  #send(action: Extract<Action, { kind: "send" }>): Answer {
    const message = this.given.messages[action.uid - 1];
    if (message === undefined) return { kind: "not-sent", reason: "gone" };
    if (message.fault !== undefined) return { kind: "not-sent", reason: message.fault };
    const text = this.#textOf(message);
    const outgoing = new Outgoing(/(^|\n)\./.test(text), action.lines);
    // Octet by octet: nothing may depend on the pieces.
    const pieces = [...Buffer.from(text, "latin1")].map((octet) => outgoing.push(Uint8Array.of(octet)));
    this.said += action.head + Buffer.concat([...pieces, outgoing.end()]).toString("latin1");
    return { kind: "sent" };
  }

  #textOf({ text, ascii }: WorldMessage): string {
    return this.#utf8 ? text : ascii;
  }

  #octets(): number {
    return this.given.messages.reduce((octets, message) => octets + this.#textOf(message).length, 0);
  }

  #listing(messages: readonly WorldMessage[]): Extract<Answer, { kind: "loaded" }>["listing"] {
    return {
      messages: messages.length,
      uids: Uint32Array.from(messages, (_, index) => index + 1),
      octets: Uint32Array.from(messages, (message) => this.#textOf(message).length),
      tags: Uint32Array.from(messages, (_, index) => 0xabc0 + index),
      names: new Map(messages.flatMap(({ uidl }, index) => (uidl === undefined ? [] : [[index, uidl]]))),
    };
  }
}

/** The same octets at each binding, so that a transcript can be written down. */
function channelOf(given: Given, secure: boolean): Channel {
  return {
    secure,
    binding: (type) => (secure && given.binding ? Buffer.from(`the data of ${type}`) : undefined),
    clientCertificate: secure && given.certificate,
  };
}
