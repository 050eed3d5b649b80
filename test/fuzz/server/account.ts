import { domain } from "../../e2e/harness/configuration.ts";
import { Pop3 } from "../../e2e/harness/pop3.ts";
import type { Server } from "../../e2e/harness/server.ts";
import { Smtp } from "../../e2e/harness/smtp.ts";
import { until } from "../../e2e/harness/wait.ts";
import type { HouseMessage } from "../rules/house.ts";
import { hold } from "../target.ts";

/** The password of every account here: the one of the transcripts. */
export const PASSWORD = "tanstaaf";

const LEAST_MESSAGES = 3;
const FREE_SECONDS = 20;
const utf8 = (text: string) => Buffer.from(text);

const MESSAGES: readonly Buffer[] = [
  utf8("Subject: dots\r\n\r\n.\r\n..\r\n.x\r\n\r\n.\r\n"),
  utf8("Subject: Grüße 你好\r\nFrom: é <a@example.com>\r\nX-Y: é\r\n\r\nKöln\r\n"),
  Buffer.from("Subject: \xc4\xe3\xba\xc3\r\n\r\n\xc4\xe3\r\n", "latin1"),
  utf8("Subject: empty\r\n\r\n"),
  utf8(`Subject: large\r\n\r\n${".a line of a large message\r\n".repeat(4000)}`),
  utf8("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nSubject: é\r\n\r\n.\r\n--b--\r\n"),
];

/** One account, its maildrop as it has to be, and who may change it: one conversation at a time. */
export class Account {
  readonly name: string;
  readonly #server: Server;
  messages: readonly HouseMessage[] = [];
  #delivered = 0;

  constructor(server: Server, name: string) {
    this.#server = server;
    this.name = name;
  }

  get address(): string {
    return `${this.name}@${domain}`;
  }

  /**
   * Logs in and looks at everything: it is what `wanted` says, one of several where nobody can know; undefined: whatever it
   * is. Then brings new mail where little is left.
   */
  async look(wanted: readonly (readonly HouseMessage[])[] | undefined): Promise<void> {
    const found = await this.#read();
    const show = (messages: readonly HouseMessage[]) =>
      messages.map(({ uidl, text }) => `${uidl} ${text.length}`).join(", ");
    const same = (messages: readonly HouseMessage[]) =>
      messages.length === found.length &&
      messages.every(({ uidl, text, ascii }, at) => {
        const other = found[at];
        return other?.uidl === uidl && other?.text === text && other.ascii === ascii;
      });
    hold(wanted === undefined || wanted.some(same), "1939-16, 1939-17", () => {
      return `the maildrop holds ${show(found)} and not ${wanted?.map(show).join(" or ")}`;
    });
    this.messages = found;
    if (found.length >= LEAST_MESSAGES) return;
    await this.#deliver();
    this.messages = await this.#read();
  }

  async #deliver(): Promise<void> {
    await using session = await Smtp.open(this.#server.ports.lmtp, { lmtp: true });
    for (let count = 4; count > 0; count -= 1) {
      const octets = MESSAGES[this.#delivered++ % MESSAGES.length] ?? Buffer.of();
      const [reply] = await session.data("sender@example.com", [this.address], octets);
      hold(reply?.code === 250, "delivery", () => JSON.stringify(reply));
    }
  }

  // Once in either mode: what STAT, LIST, UIDL and RETR say of it, each by each.
  async #read(): Promise<HouseMessage[]> {
    const texts = await this.#fetch(true);
    const ascii = await this.#fetch(false);
    hold(texts.uidls.join() === ascii.uidls.join(), "1939-18", () => "UIDL differs between sessions");
    return texts.messages.map((text, at) => ({
      text,
      ascii: ascii.messages[at] ?? "",
      uidl: texts.uidls[at],
      fault: undefined,
    }));
  }

  async #fetch(inUtf8: boolean): Promise<{ readonly uidls: readonly string[]; readonly messages: readonly string[] }> {
    await using session = await this.#login(inUtf8);
    const { messages: count, octets } = await session.stat();
    const messages = (await session.retrieveAll()).map((message) => message.toString("latin1"));
    const sum = messages.reduce((all, message) => all + message.length, 0);
    hold(
      count === messages.length && octets === sum,
      "1939-08",
      () => `STAT says ${count} ${octets}, and there are ${sum}`,
    );
    const uidls = await session.uidl();
    await session.quit();
    return { uidls, messages };
  }

  /** The session before this one may be ending still; a waiting time that it has earned is taken away. */
  async #login(inUtf8: boolean): Promise<Pop3> {
    const { ports, installation } = this.#server;
    return until(`a login of ${this.name}`, FREE_SECONDS, async () => {
      const session = await Pop3.open(ports.pop3s, { tls: "implicit", ca: installation.ca });
      if (inUtf8) await session.must("UTF8");
      await session.must(`USER ${this.address}`);
      const status = await session.command(`PASS ${PASSWORD}`);
      if (status.startsWith("+OK")) return session;
      session.wire.close();
      hold(/^-ERR \[(?:IN-USE|SYS\/TEMP)\]/.test(status), "2449-09", () => `a right login is told ${status}`);
      if (status.includes("SYS/TEMP")) await installation.mustCli(["auth", "penalties", "clear"]);
      return undefined;
    });
  }
}
