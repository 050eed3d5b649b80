import { err, ok, type Result } from "../../lib/result.ts";
import type { Address } from "../../model/address.ts";
import type { AccountId, MailboxId, Uid } from "../../model/ids.ts";
import type { Listing } from "../../model/listing.ts";
import type { Client } from "../../model/peer.ts";
import { type MessageReader, PIECE_ROOM } from "../../model/message-reader.ts";
import type { Announced, Identity, Opening, OpenMaildrop, Pop3Ports } from "../ports.ts";
import { knows, scramFacts } from "./credentials.ts";
import { newAnnounced } from "./world.ts";

/** What a test may make go wrong. */
export type Faults = {
  login?: Error | "throttled" | "unavailable";
  facts?: Error;
  open?: Error | "login-delay";
  listing?: Error;
  update?: "partly" | "lost" | "full" | "failed" | Error;
  /** By uid: what the reader says before any octet, or after its first piece. */
  read?: Map<number, "damaged" | "gone" | "failed" | "utf8" | "damaged-later">;
};

type Stored = { readonly uid: number; readonly octets: Buffer };

/** One account's maildrop in memory, honest in everything a test does not make fail: `tim`, password `tanstaaf`. */
export class MemoryPorts {
  readonly faults: Faults = {};
  readonly removed: number[] = [];
  /** What the ports were told: of logins, openings and transfers. */
  readonly clients: Client[] = [];
  readonly openings: Opening[] = [];
  readonly transfers: (readonly [uid: number, octets: number, whole: boolean])[] = [];
  announced: Announced = newAnnounced();
  identity: Identity = tim;
  /** How many updates were begun, releases made and touches noted. */
  readonly counts = { updates: 0, releases: 0, touches: 0, closes: 0 };
  /** Octets of one piece of a reader; a message that is not longer comes whole. */
  pieceOctets = 1 << 20;
  /** Whether every piece is asked for twice, as while a disk is slow. */
  slowDisk = false;
  /** Takes the lease of the session that holds it. */
  takeOver: () => void = () => undefined;
  /** Resolved by a test to let go on what it made wait. */
  gate: Promise<void> = Promise.resolve();
  #messages: Stored[] = [];
  #held = false;
  #nextUid = 1;
  readonly #waitingForRelease: (() => void)[] = [];

  add(...texts: readonly string[]): void {
    for (const text of texts) {
      this.#messages.push({ uid: this.#nextUid, octets: Buffer.from(text, "latin1") });
      this.#nextUid += 1;
    }
  }

  get messages(): number {
    return this.#messages.length;
  }

  get held(): boolean {
    return this.#held;
  }

  /** Resolves when nobody holds the lease. */
  async free(): Promise<void> {
    while (this.#held) await new Promise<void>((resolve) => this.#waitingForRelease.push(resolve));
  }

  readonly ports: Pop3Ports = {
    login: async (credentials, client) => {
      this.clients.push(client);
      await this.gate;
      const { login } = this.faults;
      if (login instanceof Error) throw login;
      if (login !== undefined) return err(login);
      const known = knows(credentials, client.certificate !== undefined);
      return known === undefined ? err("refused") : ok({ ...this.identity, ...known });
    },
    scram: async () => {
      await this.gate;
      if (this.faults.facts !== undefined) throw this.faults.facts;
      return scramFacts;
    },
    announced: () => this.announced,
    openMaildrop: async (_, opening, lost) => {
      this.openings.push(opening);
      await this.gate;
      const { open } = this.faults;
      if (open instanceof Error) throw open;
      if (open !== undefined) return err(open);
      return this.#open(lost);
    },
  };

  #open(lost: () => void): Result<OpenMaildrop, "in-use"> {
    if (this.#held) return err("in-use");
    this.#held = true;
    this.takeOver = lost;
    const snapshot = [...this.#messages];
    const release = (): void => {
      if (!this.#held) return;
      this.#held = false;
      this.counts.releases += 1;
      for (const wake of this.#waitingForRelease.splice(0)) wake();
    };
    return ok({
      messages: snapshot.length,
      octets: snapshot.reduce((sum, { octets }) => sum + octets.length, 0),
      listing: async () => {
        if (this.faults.listing !== undefined) throw this.faults.listing;
        return listingOf(snapshot);
      },
      read: (uid) => this.#read(uid),
      transferred: (uid, sent, whole) => {
        this.transfers.push([uid, sent, whole]);
      },
      touch: () => {
        this.counts.touches += 1;
      },
      update: async (uids) => {
        this.counts.updates += 1;
        await this.gate;
        const { update } = this.faults;
        if (update instanceof Error) throw update;
        release();
        if (update !== undefined && update !== "partly") return err(update);
        // The first of them stays.
        const kept = update === "partly" ? 1 : 0;
        const going = uids.subarray(kept);
        this.#messages = this.#messages.filter(({ uid }) => !going.includes(uid));
        this.removed.push(...going);
        return ok({ removed: going.length, ...(kept > 0 ? { kept } : {}) });
      },
      release,
    });
  }

  #read(uid: Uid): MessageReader {
    const message = this.#messages.find((each) => each.uid === uid);
    const fault = this.faults.read?.get(uid);
    const octets = message?.octets ?? Buffer.alloc(0);
    const most = Math.min(this.pieceOctets, octets.length);
    const buffer = Buffer.alloc(PIECE_ROOM.before + most + PIECE_ROOM.behind);
    let at = 0;
    let closed = false;
    let asked = false;
    return {
      octets: octets.length,
      // Known with the first piece only; until then nothing may rest on it.
      get dotted() {
        return at === 0 || /(^|\n)\./.test(octets.toString("latin1"));
      },
      next: (ready) => {
        if (closed) throw new Error("read after close");
        asked = this.slowDisk && !asked;
        if (asked) {
          setImmediate(ready);
          return "later";
        }
        if (message === undefined) return "gone";
        if (fault !== undefined && fault !== "damaged-later") return fault;
        if (fault === "damaged-later" && at > 0) return "damaged";
        if (at === octets.length) return "end";
        // The buffer is used again, so what was not taken in time goes out wrong.
        const copied = octets.copy(buffer, PIECE_ROOM.before, at, at + most);
        at += copied;
        return buffer.subarray(PIECE_ROOM.before, PIECE_ROOM.before + copied);
      },
      close: () => {
        if (!closed) this.counts.closes += 1;
        closed = true;
        buffer.fill("?");
      },
    };
  }
}

const tim: Identity = {
  account: 1 as AccountId,
  address: "tim@example.com" as Address,
  mailbox: 1 as MailboxId,
  device: { appPassword: null, name: "", noDelete: false, mark: 1 },
  language: undefined,
  expireDays: 0,
  loginDelaySeconds: 0,
};

function listingOf(messages: readonly Stored[]): Listing {
  return {
    messages: messages.length,
    uids: Uint32Array.from(messages, ({ uid }) => uid),
    octets: Uint32Array.from(messages, ({ octets }) => octets.length),
    tags: Uint32Array.from(messages, ({ uid }) => uid * 7),
    names: new Map(),
  };
}
