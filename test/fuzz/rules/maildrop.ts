import { hold } from "../target.ts";
import type { HouseMessage } from "./house.ts";

/** A maildrop as RFC 1939 §5 has it, in the plainest way. */
export class MaildropModel {
  readonly messages: readonly HouseMessage[];
  readonly #utf8: boolean;
  readonly marks = new Set<number>();
  /** Numbers whose RETR failed: what could not be read is not removed (house rule). */
  readonly barred = new Set<number>();
  readonly #uidls = new Map<number, string>();

  constructor(messages: readonly HouseMessage[], utf8: boolean) {
    this.messages = messages;
    this.#utf8 = utf8;
  }

  /** The octets of a message in this session. */
  octets(number: number): string {
    const message = this.messages[number - 1];
    return (this.#utf8 ? message?.text : message?.ascii) ?? "";
  }

  /** The numbers of what is not marked. */
  get left(): number[] {
    return this.messages.map((_, at) => at + 1).filter((number) => !this.marks.has(number));
  }

  get stat(): string {
    return `${this.left.length} ${this.left.reduce((sum, number) => sum + this.octets(number).length, 0)}`;
  }

  /** The message that an argument names; "perhaps": written as no RFC writes it, with zeros in front. */
  find(argument: string): { readonly number: number; readonly sure: boolean } | undefined {
    const number = /^\d{1,10}$/.test(argument) ? Number(argument) : 0;
    if (number < 1 || number > this.messages.length || this.marks.has(number)) return undefined;
    return { number, sure: !argument.startsWith("0") };
  }

  /** Holds what LIST or UIDL says of one message to what it is, and was. */
  checkEntry(name: string, number: number, line: string): void {
    if (name === "LIST") {
      const wanted = `${number} ${this.octets(number).length}`;
      return hold(line === wanted, "1939-10", () => `LIST says ${line} and not ${wanted}`);
    }
    const [, uidl = ""] = /^\d+ ([!-~]{1,70})$/.exec(line) ?? [];
    const known = this.messages[number - 1]?.uidl ?? this.#uidls.get(number) ?? uidl;
    hold(line === `${number} ${known}` && uidl !== "", "1939-18", () => `UIDL says ${line}`);
    const others = [...this.#uidls].some(([other, each]) => other !== number && each === uidl);
    hold(!others, "1939-18", () => `UIDL ${uidl} is of two messages`);
    this.#uidls.set(number, uidl);
  }
}
