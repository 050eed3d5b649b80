import { unreachable } from "../lib/assert.ts";
import type { MessageReader } from "../model/message-reader.ts";
import type { Drive } from "../net/drive.ts";
import { Outgoing } from "./engine/outgoing.ts";

/** How the sending of a message ended. "cut": octets of it had left, so the connection cannot be used any more. */
export type SendingEnd = "sent" | "damaged" | "gone" | "failed" | "cut";

/**
 * One message on its way to the client, pulled by write callbacks: the next piece is asked for when the kernel has taken
 * the last one, so a session holds one piece, whatever the message's length and the reader's speed.
 */
export class Sending {
  readonly #drive: Drive;
  readonly #reader: MessageReader;
  readonly #outgoing: Outgoing;
  readonly #ended: (end: SendingEnd) => void;
  readonly #pull = (): void => this.pull();
  readonly #last = (): void => this.#end("sent");
  // Said before the first octet; undefined once it was.
  #head: string | undefined;
  #octets = 0;
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
    this.#outgoing = new Outgoing(reader.dotted, how.lines);
    this.#ended = ended;
  }

  /** Octets of the message that were given to the connection. */
  get octets(): number {
    return this.#octets;
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
        return this.#drive.write(this.#outgoing.end(), this.#last);
      case "damaged":
      case "gone":
      case "failed":
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
    const whole = this.#head !== undefined && piece.length === this.#reader.octets;
    this.#sayHead();
    const octets = this.#outgoing.push(piece);
    this.#octets += octets.length;
    // A message that comes as one piece was checked whole before; TOP may need no more. Either goes out in one write.
    if (!whole && !this.#outgoing.done) return this.#drive.write(octets, this.#pull);
    const { connection } = this.#drive;
    connection.cork();
    this.#drive.flush();
    connection.write(octets);
    connection.write(this.#outgoing.end(), this.#last);
    connection.uncork();
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
