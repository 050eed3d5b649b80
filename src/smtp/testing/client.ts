import { TestClient } from "../../net/testing.ts";

/** A test's client that hears the server's replies one by one. */
export class SmtpClient implements Disposable {
  readonly wire: TestClient;

  private constructor(wire: TestClient) {
    this.wire = wire;
  }

  static async connect(port: number): Promise<SmtpClient> {
    return new SmtpClient(await TestClient.connect({ host: "127.0.0.1", port }));
  }

  /** The next reply, all its lines. */
  async reply(): Promise<string> {
    let lines = "";
    do lines += await this.wire.through("\r\n");
    while (!/^\d{3} .*\r\n$/m.test(lines));
    return lines;
  }

  /** The codes of the next replies. */
  async codes(count: number): Promise<string[]> {
    const codes: string[] = [];
    for (let i = 0; i < count; i += 1) codes.push((await this.reply()).slice(0, 3));
    return codes;
  }

  /** Sends text as latin1. */
  send(text: string): void {
    this.wire.send(text);
  }

  async ask(line: string): Promise<string> {
    this.send(`${line}\r\n`);
    return this.reply();
  }

  /** All that still comes until the server closes. */
  async rest(): Promise<string> {
    const text = await this.wire.rest();
    this.wire.finish();
    return text;
  }

  /** Goes away without a word. */
  reset(): void {
    this.wire.socket.resetAndDestroy();
  }

  [Symbol.dispose](): void {
    this.wire[Symbol.dispose]();
  }
}
