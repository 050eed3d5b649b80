import type { Surroundings } from "./surroundings.ts";
import type { Maildrop, Truth } from "./truth.ts";

/** Messages that were asked back; `sure`: those that have to be there when it is said that it was done. */
type Asked = { readonly maildrop: Maildrop; readonly sure: readonly Truth[] };

/** What an oracle knows of messages that go, and of those that come back. */
export class Removals {
  readonly #world: Surroundings;
  readonly #maildrops: () => Iterable<Maildrop>;

  constructor(world: Surroundings, maildrops: () => Iterable<Maildrop>) {
    this.#world = world;
    this.#maildrops = maildrops;
  }

  /** A turn of retention, which removes what came before a time of the clock on the wall. */
  expiring(before: number): void {
    for (const maildrop of this.#maildrops()) {
      for (const truth of maildrop.messages.values()) {
        if (truth.receivedWall >= before) continue;
        if (truth.presence === "arriving") this.#mayExpire(truth);
        if (truth.presence === "yes") this.leave(truth, this.#world.life(), maildrop);
      }
    }
  }

  // It may have come, gone again and be kept, all before anybody had heard of it.
  #mayExpire(truth: Truth): void {
    truth.mayExpire = true;
    if (this.#world.keeps) truth.kept = "perhaps";
  }

  /** A turn that erases for good what was removed before a time of the clock on the wall. */
  erasing(before: number): void {
    for (const { messages } of this.#maildrops())
      for (const truth of messages.values())
        if (truth.kept === "yes" && truth.removedWall < before) truth.kept = "perhaps";
  }

  /** All that was removed from a maildrop was asked back; until the answer each may be there again. */
  restoring(maildrop: Maildrop): Asked {
    // eslint-disable-next-line no-param-reassign -- what is known of it
    maildrop.restores += 1;
    const sure: Truth[] = [];
    for (const truth of maildrop.messages.values()) {
      const { presence, kept } = truth;
      if ((presence !== "no" && presence !== "leaving") || kept === "no") continue;
      if (presence === "no" && kept === "yes") sure.push(truth);
      this.#askBack(truth);
    }
    return { maildrop, sure };
  }

  #askBack(truth: Truth): void {
    // What was removed comes under a new UIDL; what was not has its own.
    truth.former = truth.presence === "leaving" ? truth.uidl : undefined;
    truth.uidl = undefined;
    truth.presence = "arriving";
    truth.doubtLife = this.#world.life();
    truth.group = undefined;
    truth.removerOpenedAt = Number.POSITIVE_INFINITY;
  }

  /** It was done. */
  restored(asked: Asked): void {
    this.notRestored(asked);
    for (const truth of asked.sure) {
      // It may have been erased while it was asked back.
      if (truth.presence !== "arriving" || truth.kept !== "yes") continue;
      truth.presence = "yes";
      truth.since = this.#world.now();
    }
  }

  /** Nobody knows whether it was; but nothing more comes of the order. */
  notRestored({ maildrop }: Asked): void {
    // eslint-disable-next-line no-param-reassign -- what is known of it
    maildrop.restores -= 1;
  }

  /** It may go, by what was asked for now. */
  leave(truth: Truth, life: number, { restores }: Maildrop): void {
    truth.presence = "leaving";
    truth.since = this.#world.now();
    truth.doubtLife = life;
    this.#keep(truth);
    if (restores > 0 && truth.kept === "yes") this.#askBack(truth);
  }

  /** It is gone, as was asked for at some time before. */
  removed(truth: Truth): void {
    truth.kept = this.#world.keeps ? "yes" : "no";
    // The clock may have jumped between the work and its answer.
    truth.removedWall = Math.min(truth.removedWall, this.#world.wall());
  }

  #keep(truth: Truth): void {
    truth.kept = this.#world.keeps ? "yes" : "no";
    truth.removedWall = this.#world.wall();
  }
}
