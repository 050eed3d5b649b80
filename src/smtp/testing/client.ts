import { once } from "node:events";
import { connect, type Socket } from "node:net";

/** A client that says what it is told to and hands out the server's replies one by one. */
export class Client implements AsyncDisposable {
  readonly socket: Socket;
  /** Resolves when the connection is closed, with all that was never asked for. */
  readonly closed: Promise<string>;
  #text = "";
  #over = false;
  #wake: () => void = () => {};

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setEncoding("latin1");
    socket.on("data", (text: string) => {
      this.#text += text;
      this.#wake();
    });
    // The socket may be half closed by the client, never by the server alone.
    socket.on("end", () => socket.end());
    // A reset is one of the ends that tests look for.
    socket.on("error", () => this.#wake());
    this.closed = new Promise((resolve) => {
      socket.on("close", () => {
        this.#over = true;
        this.#wake();
        resolve(this.#text);
      });
    });
  }

  static async connect(port: number): Promise<Client> {
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    const client = new Client(socket);
    await once(socket, "connect");
    return client;
  }

  /** The next reply, all its lines. */
  async reply(): Promise<string> {
    for (;;) {
      const found = /^(?:\d{3}-.*\r\n)*\d{3} .*\r\n/.exec(this.#text);
      if (found) {
        this.#text = this.#text.slice(found[0].length);
        return found[0];
      }
      if (this.#over) throw new Error(`closed; what was left: ${JSON.stringify(this.#text)}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** The codes of the next replies. */
  async codes(count: number): Promise<string[]> {
    const codes: string[] = [];
    for (let i = 0; i < count; i += 1) codes.push((await this.reply()).slice(0, 3));
    return codes;
  }

  send(octets: string | Uint8Array): void {
    if (typeof octets === "string") this.socket.write(octets, "latin1");
    else this.socket.write(octets);
  }

  async ask(line: string): Promise<string> {
    this.send(`${line}\r\n`);
    return this.reply();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.destroy();
    await this.closed;
  }
}
