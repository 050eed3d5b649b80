import { addressOf, sleep, type Stage } from "./actor.ts";
import { contentOf, stuffed } from "./mail-text.ts";
import type { MailPlan, SenderPlan } from "./plan.ts";
import type { Owner } from "./runtime.ts";
import { Over, type Talk } from "./talk.ts";
import type { Maildrop } from "./truth.ts";

type Recipient = { readonly maildrop: Maildrop; readonly loose: boolean };

const MOST_ATTEMPTS = 3;
const RETRY_MS = 1700;

/** Hands mail over by SMTP or LMTP, and tries again what was not taken. */
export class Sender {
  readonly #stage: Stage;
  readonly #plan: SenderPlan;
  readonly #owner: Owner;
  #talk: Talk | undefined;
  #connections = 0;
  /** Every attempt to deliver is a message of its own, so that each copy can be told from the others. */
  acknowledged: string[] = [];

  constructor(stage: Stage, plan: SenderPlan, owner: Owner) {
    this.#stage = stage;
    this.#plan = plan;
    this.#owner = owner;
  }

  async run(): Promise<void> {
    for (const mail of this.#plan.mails) {
      for (let attempt = 1; attempt <= MOST_ATTEMPTS; attempt += 1) {
        // oxlint-disable-next-line no-await-in-loop -- one after the other
        if (await this.#tried(mail, attempt)) break;
        if (this.#vanished()) return;
        // oxlint-disable-next-line no-await-in-loop -- one after the other
        await sleep(this.#stage.runtime, this.#owner, RETRY_MS * attempt);
      }
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await sleep(this.#stage.runtime, this.#owner, mail.pauseMs);
    }
    this.#talk?.send("QUIT\r\n");
    this.#talk?.end.end();
  }

  // Who was to vanish and has done so does not come back.
  #vanished(): boolean {
    return this.#plan.vanish !== undefined && this.#connections === 1 && this.#talk === undefined;
  }

  async #tried(mail: MailPlan, attempt: number): Promise<boolean> {
    try {
      this.#talk ??= await this.#connect();
      if (this.#talk === undefined) return false;
      return await this.#deliver(this.#talk, mail, `${mail.name}.${attempt}`);
    } catch (cause) {
      if (!(cause instanceof Over)) throw cause;
      this.#talk = undefined;
      return false;
    }
  }

  async #connect(): Promise<Talk | undefined> {
    const { name, protocol, vanish } = this.#plan;
    this.#connections += 1;
    const talk = this.#stage.connect(this.#owner, `${name}/${this.#connections}`, protocol);
    if (talk === undefined) return undefined;
    if (vanish !== undefined && this.#connections === 1) talk.end.vanish = { ...vanish };
    if (!(await talk.reply()).startsWith("220")) throw new Over();
    talk.send(`${protocol === "lmtp" ? "LHLO" : "EHLO"} client.example.org\r\n`);
    await talk.reply();
    return talk;
  }

  async #deliver(talk: Talk, mail: MailPlan, name: string): Promise<boolean> {
    if (mail.resets) {
      await this.#envelope(talk, mail);
      talk.send("RSET\r\n");
      await talk.reply();
    }
    const { recipients, go, temporary } = await this.#envelope(talk, mail, true);
    if (!go) return !temporary;
    const content = contentOf(this.#stage.runtime.seed, name, mail.octets);
    if (talk.send(stuffed(content))) this.#stage.oracle.sent(name, content, recipients);
    const to = recipients.map(({ maildrop }) => maildrop.address).join(", ");
    const answers: string[] = [];
    try {
      let again = false;
      if (this.#plan.protocol === "smtp") answers.push(await talk.reply());
      for (const [index, { maildrop }] of recipients.entries()) {
        // oxlint-disable-next-line no-await-in-loop -- one after the other
        if (this.#plan.protocol === "lmtp") answers.push(await talk.reply());
        again = !this.#take(answers[Math.min(index, answers.length - 1)] ?? "", name, maildrop) || again;
      }
      return !again;
    } finally {
      this.#stage.tell(
        this.#plan.name,
        `sends ${name} (${content.length}) to ${to}: ${answers.join(" | ") || "no answer"}`,
      );
    }
  }

  /** MAIL, RCPT and DATA; `go`: the content is asked for. */
  async #envelope(talk: Talk, mail: MailPlan, data = false) {
    const commands = ["MAIL FROM:<sender@example.org>"];
    const asked = mail.to.map((account) => this.#stage.oracle.maildrop(addressOf(account)));
    for (const { address } of asked) commands.push(`RCPT TO:<${address}>`);
    if (data) commands.push("DATA");
    const replies: string[] = [];
    const recipients: Recipient[] = [];
    if (mail.pipelined) talk.send(`${commands.join("\r\n")}\r\n`);
    for (const [index, command] of commands.entries()) {
      if (!mail.pipelined) talk.send(`${command}\r\n`);
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const reply = await talk.reply();
      replies.push(reply);
      const maildrop = asked[index - 1];
      if (maildrop === undefined || !reply.startsWith("250")) continue;
      const now = this.#stage.oracle.maildrop(maildrop.address);
      recipients.push({ maildrop: now, loose: now !== maildrop });
      if (command === "DATA") break;
    }
    const go = replies.at(-1)?.startsWith("354") === true;
    return { recipients, go, temporary: replies.some((reply) => reply.startsWith("4")) };
  }

  /** An answer to the content, for one recipient; false: it is to be tried again. */
  #take(answer: string, name: string, maildrop: Maildrop): boolean {
    if (answer.startsWith("250")) {
      this.acknowledged.push(name);
      this.#stage.oracle.acknowledge(name, maildrop);
      return true;
    }
    this.#stage.oracle.refuse(name, maildrop);
    return !answer.startsWith("4");
  }
}
