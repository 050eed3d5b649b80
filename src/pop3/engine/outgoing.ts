import { DotStuffer, type Room } from "./dot.ts";
import { TopCutter } from "./top.ts";

/** A message's octets on their way into the wire form of RETR (all lines) or TOP. */
export class Outgoing {
  readonly #cutter: TopCutter | undefined;
  readonly #stuffer: DotStuffer;

  /** With room, pieces are changed where they are. */
  constructor(dotted: boolean, lines: number | undefined, room?: Room) {
    this.#cutter = lines === undefined ? undefined : new TopCutter(lines);
    this.#stuffer = new DotStuffer(dotted, room);
  }

  /** Whether no more of the message is needed. */
  get done(): boolean {
    return this.#cutter?.done ?? false;
  }

  /** The next piece in wire form: often the piece itself. */
  push(piece: Uint8Array): Uint8Array {
    return this.#stuffer.push(this.#cutter === undefined ? piece : this.#cutter.push(piece));
  }

  /** The terminator. */
  end(): Uint8Array {
    return this.#stuffer.end();
  }
}
