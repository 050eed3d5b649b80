import assert from "node:assert/strict";
import { stuff } from "./dots.ts";
import { Wire, type WireOptions } from "./wire.ts";

export type SmtpOptions = WireOptions & {
  readonly lmtp?: boolean;
  /** Begins TLS by STARTTLS; needs `ca`. */
  readonly starttls?: boolean;
};

export type Reply = { readonly code: number; readonly text: string };

const sendOctets = 64 * 1024;

/** An SMTP or LMTP client on a raw connection. */
export class Smtp {
  readonly wire: Wire;
  readonly lmtp: boolean;
  /** What EHLO or LHLO announced last. */
  extensions: readonly string[] = [];

  private constructor(wire: Wire, lmtp: boolean) {
    this.wire = wire;
    this.lmtp = lmtp;
  }

  /** Connects, reads the greeting, and says hello. */
  static async open(port: number, { lmtp = false, starttls = false, ca, ...options }: SmtpOptions = {}): Promise<Smtp> {
    const session = new Smtp(await Wire.open(port, options), lmtp);
    expectCode(await session.reply(), 220, "the greeting");
    await session.hello();
    if (starttls) {
      await session.must("STARTTLS", 220);
      await session.wire.secure(ca ?? "");
      await session.hello();
    }
    return session;
  }

  async hello(): Promise<void> {
    const reply = await this.must(`${this.lmtp ? "LHLO" : "EHLO"} client.e2e.test`, 250);
    this.extensions = reply.text.split("\n").slice(1);
  }

  /** Reads one reply of one or more lines. */
  async reply(): Promise<Reply> {
    const lines: string[] = [];
    for (;;) {
      const line = await this.wire.line();
      const [, code = "", more = "", text = ""] = /^(\d{3})([ -])?(.*)$/.exec(line) ?? [];
      assert.notEqual(code, "", `a reply line: ${line}`);
      lines.push(text);
      if (more !== "-") return { code: Number(code), text: lines.join("\n") };
    }
  }

  async command(line: string): Promise<Reply> {
    await this.wire.send(`${line}\r\n`);
    return this.reply();
  }

  async must(line: string, code: number): Promise<Reply> {
    return expectCode(await this.command(line), code, line);
  }

  /** MAIL and RCPT for each recipient, all of which must be taken. */
  async envelope(from: string, recipients: readonly string[], parameters = ""): Promise<void> {
    await this.must(`MAIL FROM:<${from}>${parameters}`, 250);
    for (const recipient of recipients) await this.must(`RCPT TO:<${recipient}>`, 250);
  }

  /** A whole message by DATA; gives one reply, by LMTP one for each recipient. */
  async data(from: string, recipients: readonly string[], content: Buffer): Promise<Reply[]> {
    await this.envelope(from, recipients);
    await this.must("DATA", 354);
    await this.#octets(stuff(content));
    return this.#outcomes(recipients.length);
  }

  /** A whole message by BDAT in chunks of these lengths; the rest is the last chunk (RFC 3030). */
  async bdat(
    from: string,
    recipients: readonly string[],
    content: Buffer,
    chunks: readonly number[],
  ): Promise<Reply[]> {
    const announcesSize = this.extensions.some((line) => line.startsWith("SIZE"));
    await this.envelope(from, recipients, `${announcesSize ? ` SIZE=${content.length}` : ""} BODY=8BITMIME`);
    let sent = 0;
    for (const octets of chunks) {
      if (sent + octets >= content.length) break;
      await this.wire.send(`BDAT ${octets}\r\n`);
      await this.#octets(content.subarray(sent, sent + octets));
      expectCode(await this.reply(), 250, "BDAT");
      sent += octets;
    }
    await this.wire.send(`BDAT ${content.length - sent} LAST\r\n`);
    await this.#octets(content.subarray(sent));
    return this.#outcomes(recipients.length);
  }

  async quit(): Promise<void> {
    await this.must("QUIT", 221);
    this.wire.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.wire.close();
  }

  async #octets(octets: Buffer): Promise<void> {
    for (let at = 0; at < octets.length; at += sendOctets) await this.wire.send(octets.subarray(at, at + sendOctets));
  }

  async #outcomes(recipients: number): Promise<Reply[]> {
    const replies: Reply[] = [];
    for (let count = this.lmtp ? recipients : 1; count > 0; count -= 1) replies.push(await this.reply());
    return replies;
  }
}

function expectCode(reply: Reply, code: number, what: string): Reply {
  assert.equal(reply.code, code, `${what}: ${reply.code} ${reply.text}`);
  return reply;
}
