import type { ClientEnd } from "./network.ts";
import type { Owner, Runtime } from "./runtime.ts";

/** Thrown to the client when its connection is over, or it has vanished. */
export class Over extends Error {}

/** Nothing came for longer than any deadline of the server. */
export class NoAnswer extends Error {}

// Longer than what the server itself waits for (PORT_SECONDS), an UPDATE that waits for a disk, and a stall together.
const PATIENCE_MS = 700_000;

/** A client's side of a dialogue: lines and answers as text, one character an octet. */
export class Talk {
  readonly end: ClientEnd;
  readonly #runtime: Runtime;
  readonly #owner: Owner;
  #received = "";
  #over = false;
  #wake: (() => void) | undefined;

  constructor(runtime: Runtime, owner: Owner, end: ClientEnd) {
    this.#runtime = runtime;
    this.#owner = owner;
    this.end = end;
    end.listen({
      data: (octets) => {
        this.#received += octets.toString("latin1");
        this.#wake?.();
      },
      closed: () => {
        this.#over = true;
        this.#wake?.();
      },
    });
  }

  /** Sends text; gives whether all of it left. */
  send(text: string): boolean {
    return this.end.send(Buffer.from(text, "latin1")) === text.length;
  }

  /** The next line, without its end. */
  async line(): Promise<string> {
    const end = await this.#until("\r\n");
    return this.#take(end, 2);
  }

  /** What stands behind a status line that promises more, with the final dot. */
  async multiline(): Promise<string> {
    if (await this.#startsWith(".\r\n")) {
      this.#received = this.#received.slice(3);
      return ".\r\n";
    }
    const end = await this.#until("\r\n.\r\n");
    return `${this.#take(end, 5)}\r\n.\r\n`;
  }

  /** A reply of SMTP, of one line or several: its last line. */
  async reply(): Promise<string> {
    for (;;) {
      // oxlint-disable-next-line no-await-in-loop -- one line after the other
      const line = await this.line();
      if (line[3] !== "-") return line;
    }
  }

  async #startsWith(text: string): Promise<boolean> {
    // oxlint-disable-next-line no-await-in-loop -- each wake is one event
    while (this.#received.length < text.length) await this.#more();
    return this.#received.startsWith(text);
  }

  async #until(text: string): Promise<number> {
    for (let from = 0; ;) {
      const at = this.#received.indexOf(text, from);
      if (at >= 0) return at;
      from = Math.max(0, this.#received.length - text.length + 1);
      // oxlint-disable-next-line no-await-in-loop -- each wake is one event
      await this.#more();
    }
  }

  #take(end: number, behind: number): string {
    const taken = this.#received.slice(0, end);
    this.#received = this.#received.slice(end + behind);
    return taken;
  }

  #more(): Promise<void> {
    if (this.#over || this.end.over) throw new Over();
    return new Promise((resolve, reject) => {
      const timer = this.#runtime.after(this.#owner, PATIENCE_MS, () => {
        this.#wake = undefined;
        reject(new NoAnswer(`nothing came for ${PATIENCE_MS / 1000} s`));
      });
      this.#wake = () => {
        this.#wake = undefined;
        timer.cancel();
        resolve();
      };
    });
  }
}
