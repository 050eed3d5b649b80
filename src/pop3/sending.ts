import { unreachable } from "../lib/assert.ts";
import { type MessageReader, PIECE_ROOM } from "../model/message-reader.ts";
import type { Drive } from "../net/drive.ts";
import type { Room } from "./engine/dot.ts";
import { Outgoing } from "./engine/outgoing.ts";

/** How the sending of a message ended. "cut": octets of it had left, so the connection cannot be used any more. */
export type SendingEnd = "sent" | "damaged" | "gone" | "failed" | "utf8" | "cut";

// A status line in front of a message has fewer octets.
const HEAD_OCTETS = 64;
const NOTHING = new Uint8Array(0);
const ROOM: Room = {
  before: PIECE_ROOM.before - HEAD_OCTETS,
  kept: { before: HEAD_OCTETS, behind: PIECE_ROOM.behind },
};

/**
 * One message on its way to the client, pulled by write callbacks: the next piece is asked for when the kernel has taken
 * the last one, so a session holds one piece, whatever the message's length and the reader's speed.
 */
export class Sending {
  readonly #drive: Drive;
  readonly #reader: MessageReader;
  readonly #lines: number | undefined;
  // Made with the first piece: before it the reader does not know whether the message has dots to stuff.
  #outgoing: Outgoing | undefined;
  readonly #ended: (end: SendingEnd) => void;
  readonly #pull = (): void => this.pull();
  readonly #last = (): void => this.#end("sent");
  // Said before the first octet; undefined once it was.
  #head: string | undefined;
  #octets = 0;
  #handed = 0;
  #over = false;

  constructor(
    drive: Drive,
    reader: MessageReader,
    how: { readonly head: string; readonly lines: number | undefined },
    ended: (end: SendingEnd) => void,
  ) {
    this.#drive = drive;
    this.#reader = reader;
    this.#head = how.head;
    this.#lines = how.lines;
    this.#ended = ended;
  }

  /** Octets that were given to the connection. */
  get octets(): number {
    return this.#octets;
  }

  /** Octets of the message itself that were given to it, without dots that were stuffed. */
  get handed(): number {
    return this.#handed;
  }

  /** Asks for the next piece and sends it. */
  pull(): void {
    if (this.#over) return;
    const piece = this.#reader.next(this.#pull);
    if (typeof piece !== "string") return this.#send(piece);
    switch (piece) {
      case "later":
        return;
      case "end":
        this.#sayHead();
        return this.#drive.write(this.#transform().end(), this.#last);
      case "damaged":
      case "gone":
      case "failed":
      case "utf8":
        // Without the final dot the client knows that it has not got the message (DESIGN, RETR).
        return this.#end(this.#head === undefined ? "cut" : piece);
      default:
        unreachable(piece);
    }
  }

  /** Gives the buffer back; for a connection that is gone. */
  close(): void {
    this.#over = true;
    this.#reader.close();
  }

  #send(piece: Uint8Array): void {
    const head = this.#head ?? "";
    const whole = this.#head !== undefined && piece.length === this.#reader.octets;
    this.#head = undefined;
    const outgoing = this.#transform();
    this.#handed += piece.length;
    const octets = outgoing.push(piece);
    this.#octets += octets.length;
    // A message that comes as one piece was checked whole before; TOP may need no more. Either goes out in one write.
    if (whole || outgoing.done) this.#drive.write(framed(octets, head, outgoing.end()), this.#last);
    else this.#drive.write(framed(octets, head, NOTHING), this.#pull);
  }

  #transform(): Outgoing {
    this.#outgoing ??= new Outgoing(this.#reader.dotted, this.#lines, ROOM);
    return this.#outgoing;
  }

  #sayHead(): void {
    if (this.#head === undefined) return;
    this.#drive.say(this.#head);
    this.#head = undefined;
  }

  #end(end: SendingEnd): void {
    this.close();
    this.#ended(end);
  }
}

/** The octets with a status line in front and an end behind, in the room around them. */
function framed(octets: Uint8Array, head: string, end: Uint8Array): Uint8Array {
  const { length } = octets;
  const frame = Buffer.from(octets.buffer, octets.byteOffset - head.length, head.length + length + end.length);
  frame.write(head, "latin1");
  frame.set(end, head.length + length);
  return frame;
}
