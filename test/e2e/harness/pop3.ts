import assert from "node:assert/strict";
import { unstuff } from "./dots.ts";
import { Wire, type WireOptions } from "./wire.ts";

export type Pop3Options = WireOptions & {
  /** How TLS begins; "none" is a clear-text session. */
  readonly tls?: "implicit" | "starttls" | "none";
};

/** A POP3 client that trusts nothing: each status line is looked at, each message kept octet by octet. */
export class Pop3 {
  readonly wire: Wire;
  readonly greeting: string;

  private constructor(wire: Wire, greeting: string) {
    this.wire = wire;
    this.greeting = greeting;
  }

  /** Connects, reads the greeting and begins TLS. */
  static async open(port: number, { tls = "none", ca, ...options }: Pop3Options = {}): Promise<Pop3> {
    const implicit = tls === "implicit" && ca !== undefined;
    const wire = await Wire.open(port, implicit ? { ...options, ca } : options);
    const session = new Pop3(wire, await wire.line());
    assert.match(session.greeting, /^\+OK/, "the greeting");
    if (tls === "starttls") {
      await session.must("STLS");
      await wire.secure(ca ?? "");
    }
    return session;
  }

  /** Connects and logs in. */
  static async login(port: number, user: string, password: string, options: Pop3Options = {}): Promise<Pop3> {
    const session = await Pop3.open(port, options);
    await session.must(`USER ${user}`);
    await session.must(`PASS ${password}`);
    return session;
  }

  /** Sends a command and gives its status line. */
  async command(line: string): Promise<string> {
    await this.wire.send(`${line}\r\n`);
    const status = await this.wire.line();
    assert.match(status, /^(\+OK|-ERR)( |$)/, `the answer to ${line.split(" ")[0]}`);
    assert.ok(status.length <= 510, `the answer to ${line.split(" ")[0]} is too long`);
    return status;
  }

  /** Sends a command that must be answered by +OK. */
  async must(line: string): Promise<string> {
    const status = await this.command(line);
    assert.match(status, /^\+OK/, `the answer to ${line.replace(/^PASS .*/, "PASS …")}`);
    return status;
  }

  /** The lines of a multi-line reply. */
  async lines(line: string): Promise<string[]> {
    await this.must(line);
    const text = (await this.#reply()).toString("latin1");
    return text === "" ? [] : text.replace(/\r\n$/, "").split("\r\n");
  }

  /** Number of messages and octets. */
  async stat(): Promise<{ messages: number; octets: number }> {
    const [, messages = "", octets = ""] = /^\+OK (\d+) (\d+)( |$)/.exec(await this.must("STAT")) ?? [];
    assert.notEqual(octets, "", "STAT gives two numbers");
    return { messages: Number(messages), octets: Number(octets) };
  }

  /** Octets of each message, in order. */
  async list(): Promise<number[]> {
    return (await this.#numbered("LIST")).map(Number);
  }

  /** The unique id of each message, in order. */
  async uidl(): Promise<string[]> {
    const ids = await this.#numbered("UIDL");
    for (const id of ids) assert.match(id, /^[\x21-\x7e]{1,70}$/, "a unique id");
    return ids;
  }

  /** The octets of a message. */
  async retrieve(number: number): Promise<Buffer> {
    await this.must(`RETR ${number}`);
    return unstuff(await this.#reply());
  }

  /** Reads the answer to a RETR that was sent before. */
  async answerToRetr(number: number): Promise<Buffer> {
    assert.match(await this.wire.line(), /^\+OK/, `the answer to RETR ${number}`);
    return unstuff(await this.#reply());
  }

  /** All messages, in order; each must be as long as LIST says (rule 1939-10). */
  async retrieveAll(): Promise<Buffer[]> {
    const sizes = await this.list();
    const messages: Buffer[] = [];
    for (const [index, octets] of sizes.entries()) {
      const message = await this.retrieve(index + 1);
      assert.equal(message.length, octets, `LIST and RETR of message ${index + 1}`);
      messages.push(message);
    }
    return messages;
  }

  /** QUIT, which must succeed; the server then closes. */
  async quit(): Promise<void> {
    await this.must("QUIT");
    assert.equal(await this.wire.closed(), "", "nothing comes after the answer to QUIT");
    this.wire.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.wire.close();
  }

  async #numbered(command: string): Promise<string[]> {
    return (await this.lines(command)).map((line, index) => {
      const [number, value = "", ...rest] = line.split(" ");
      assert.deepEqual([number, rest], [String(index + 1), []], `a line of ${command}: ${line}`);
      return value;
    });
  }

  async #reply(): Promise<Buffer> {
    const pieces: Buffer[] = [];
    await this.wire.multiline((piece) => pieces.push(piece));
    return Buffer.concat(pieces);
  }
}
