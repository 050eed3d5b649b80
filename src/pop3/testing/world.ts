import { unreachable } from "../../lib/assert.ts";
import { Effects, type Action } from "../engine/effects.ts";
import { Outgoing } from "../engine/outgoing.ts";
import { greeting } from "../engine/reply.ts";
import { newSession, type Policy, type Session } from "../engine/session.ts";
import { LINE_OCTETS, step, type Input } from "../engine/step.ts";
import { LineSplitter } from "../../lib/lines.ts";
import type { Answer } from "../engine/answers.ts";
import type { Credentials } from "../../auth/engine/credentials.ts";

type Outage = "unavailable" | "damaged";

/** A message of a transcript's maildrop; `fault`: what its reader says instead of giving it. */
export type WorldMessage = {
  readonly text: string;
  readonly uidl: string | undefined;
  fault: "damaged" | "gone" | "failed" | undefined;
};

/** What a transcript gives. */
export type Given = {
  policy: Policy;
  tls: boolean;
  user: string;
  password: string;
  messages: WorldMessage[];
  login: "throttled" | Outage | undefined;
  open: "in-use" | Outage | undefined;
  listing: Outage | "short" | undefined;
  update: "lost" | "full" | "failed" | undefined;
};

/** The world with a user `tim`, whose password is `tanstaaf`, and no mail. */
export function newGiven(): Given {
  return {
    policy: {
      hostname: "pop.example.com",
      implementation: "Mailkeep",
      allowCleartext: false,
      stlsPossible: true,
    },
    tls: true,
    user: "tim",
    password: "tanstaaf",
    messages: [],
    login: undefined,
    open: undefined,
    listing: undefined,
    update: undefined,
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
  removed: readonly number[] | undefined;

  constructor(given: Given) {
    this.given = given;
    this.#session = newSession(given.policy, given.tls);
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
        return { kind: "login", outcome: given.login ?? (this.#knows(action.credentials) ? "ok" : "refused") };
      case "open":
        if (given.open !== undefined) return { kind: "not-opened", reason: given.open };
        return { kind: "opened", messages: given.messages.length, octets: this.#octets() };
      case "load":
        if (given.listing === "short") return { kind: "loaded", listing: listingOf(given.messages.slice(1)) };
        if (given.listing !== undefined) return { kind: "not-loaded", reason: given.listing };
        return { kind: "loaded", listing: listingOf(given.messages) };
      case "list":
        while (!action.text.done) this.said += action.text.next();
        return { kind: "listed" };
      case "send":
        return this.#send(action);
      case "update":
        this.removed = given.update === undefined ? [...action.uids] : [];
        return { kind: "updated", outcome: given.update ?? "done" };
      case "upgrade":
        return { kind: "upgrade", octetsBehind: this.#splitter.held };
      case "handshake":
        this.#splitter.drop(this.#splitter.held);
        return { kind: "secured" };
      default:
        return unreachable(action);
    }
  }

  #send(action: Extract<Action, { kind: "send" }>): Answer {
    const message = this.given.messages[action.uid - 1];
    if (message === undefined) return { kind: "not-sent", reason: "gone" };
    if (message.fault !== undefined) return { kind: "not-sent", reason: message.fault };
    const outgoing = new Outgoing(/(^|\n)\./.test(message.text), action.lines);
    // Octet by octet: nothing may depend on the pieces.
    const pieces = [...Buffer.from(message.text, "latin1")].map((octet) => outgoing.push(Uint8Array.of(octet)));
    this.said += action.head + Buffer.concat([...pieces, outgoing.end()]).toString("latin1");
    return { kind: "sent" };
  }

  #knows({ user, password }: Credentials): boolean {
    return user === this.given.user && password.reveal() === this.given.password;
  }

  #octets(): number {
    return this.given.messages.reduce((octets, { text }) => octets + text.length, 0);
  }
}

function listingOf(messages: readonly WorldMessage[]): Extract<Answer, { kind: "loaded" }>["listing"] {
  return {
    messages: messages.length,
    uids: Uint32Array.from(messages, (_, index) => index + 1),
    octets: Uint32Array.from(messages, ({ text }) => text.length),
    tags: Uint32Array.from(messages, (_, index) => 0xabc0 + index),
    names: new Map(messages.flatMap(({ uidl }, index) => (uidl === undefined ? [] : [[index, uidl]]))),
  };
}
