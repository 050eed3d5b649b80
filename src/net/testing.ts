import "reflect-metadata";
import { once } from "node:events";
import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls, createSecureContext, type ConnectionOptions, type SecureContext } from "node:tls";
import { BasicConstraintsExtension, SubjectAlternativeNameExtension, X509CertificateGenerator } from "@peculiar/x509";
import type { ListenAddress } from "./listener.ts";

/** A certificate of its own for a test, for `localhost`, TLS 1.2 and newer. */
export async function testContext(): Promise<SecureContext> {
  const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  const keys = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: "CN=localhost",
    notBefore: new Date(Date.now() - 60_000),
    notAfter: new Date(Date.now() + 3_600_000),
    keys,
    signingAlgorithm: algorithm,
    extensions: [
      new BasicConstraintsExtension(false),
      new SubjectAlternativeNameExtension([{ type: "dns", value: "localhost" }]),
    ],
  });
  const key = Buffer.from(await crypto.subtle.exportKey("pkcs8", keys.privateKey)).toString("base64");
  return createSecureContext({
    cert: certificate.toString("pem"),
    key: `-----BEGIN PRIVATE KEY-----\n${key}\n-----END PRIVATE KEY-----\n`,
    minVersion: "TLSv1.2",
  });
}

/** A client that says exactly what a test tells it to and reads as slowly as it likes; latin1 both ways. */
export class TestClient implements Disposable {
  #socket: Socket;
  #received = "";
  #ended = false;
  #closed = false;
  #waiting: (() => void)[] = [];

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.#listen(socket);
  }

  static async connect(address: ListenAddress, tls?: ConnectionOptions): Promise<TestClient> {
    const where = "path" in address ? { path: address.path } : { host: address.host, port: address.port };
    const socket = tls
      ? connectTls({ ...where, rejectUnauthorized: false, ...tls })
      : connectTcp({ ...where, allowHalfOpen: true });
    const client = new TestClient(socket);
    await once(socket, tls ? "secureConnect" : "connect");
    return client;
  }

  get socket(): Socket {
    return this.#socket;
  }

  /** What was received and not read yet. */
  get received(): string {
    return this.#received;
  }

  send(text: string): void {
    this.#socket.write(text, "latin1");
  }

  /** Ends the sending half. */
  finish(): void {
    this.#socket.end();
  }

  /** The next line, without its end. */
  async line(): Promise<string> {
    return (await this.through("\r\n")).slice(0, -2);
  }

  /** Everything up to and including a text. */
  async through(text: string): Promise<string> {
    await this.#until(() => this.#received.includes(text), `${JSON.stringify(text)} to come`);
    const end = this.#received.indexOf(text) + text.length;
    const taken = this.#received.slice(0, end);
    this.#received = this.#received.slice(end);
    return taken;
  }

  /** Everything up to the server's FIN. */
  async rest(): Promise<string> {
    await this.#until(() => this.#ended || this.#closed, "the end");
    const taken = this.#received;
    this.#received = "";
    return taken;
  }

  /** Waits until the server has closed, by FIN or reset, and closes too. */
  async closed(): Promise<void> {
    await this.#until(() => this.#ended || this.#closed, "the close");
    this.#socket.destroy();
  }

  async startTls(options: ConnectionOptions = {}): Promise<void> {
    const clear = this.#socket;
    clear.removeAllListeners("data").removeAllListeners("end").removeAllListeners("close");
    const secure = connectTls({ socket: clear, rejectUnauthorized: false, ...options });
    this.#socket = secure;
    this.#listen(secure);
    await once(secure, "secureConnect");
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }

  #listen(socket: Socket): void {
    socket.on("data", (octets: Buffer) => this.#change(() => (this.#received += octets.toString("latin1"))));
    socket.on("end", () => this.#change(() => (this.#ended = true)));
    socket.on("close", () => this.#change(() => (this.#closed = true)));
    // A reset is an end like any other here.
    socket.on("error", () => undefined);
  }

  #change(change: () => void): void {
    change();
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }

  async #until(holds: () => boolean, what: string): Promise<void> {
    while (!holds()) {
      if (this.#closed) throw new Error(`waited for ${what}; got ${JSON.stringify(this.#received.slice(0, 200))}`);
      // oxlint-disable-next-line no-await-in-loop -- each wake is one event
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }
}
