import { isUtf8 } from "node:buffer";
import { hold, show } from "../target.ts";
import { capabilitiesOf, isAnnounced, isDecoration, isUsable } from "./capabilities.ts";
import type { ClientLine } from "./client-lines.ts";
import { type House, UPDATE_CODES } from "./house.ts";
import { MaildropModel } from "./maildrop.ts";
import { type Replies, wireOf, type Status } from "./replies.ts";
import { fromBase64, referenceOf, type Claim, type Expected, type Reference } from "./sasl.ts";

// House rules: so many wrong commands before a login end the session; a command may have so many octets.
const BAD_COMMANDS = 20;
const COMMAND_OCTETS = 255;
const TRANSACTION = new Set(["STAT", "LIST", "UIDL", "RETR", "TOP", "DELE", "NOOP", "RSET"]);
const AUTHORIZATION = new Set(["USER", "PASS", "APOP", "AUTH", "STLS", "UTF8"]);
const BOTH = new Set(["CAPA", "LANG", "QUIT"]);

type Phase = "authorization" | "exchange" | "verdict" | "transaction" | "over";

/**
 * Listens to a dialogue and holds the server to the rules of POP3: written from the RFCs and POP3-RULES, and knowing nothing
 * of how the engine does it. It reads just what the server has to say to each line of the client.
 */
export class Judge {
  /** What was seen: state, command, and the kind of reply. */
  readonly seen: string[] = [];
  /** The numbers of the messages that a QUIT has removed. */
  removed: readonly number[] | undefined;
  /** A QUIT was sent that may or may not have been carried out. */
  updating: readonly number[] | undefined;
  attack = false;
  phase: Phase = "authorization";
  secure: boolean;
  readonly #house: House;
  readonly #replies: Replies;
  #user: string | undefined;
  #utf8 = false;
  #asked: string | undefined;
  #bad = 0;
  #mechanism = "";
  #exchange: Reference | undefined;
  #verdict: Claim | undefined;
  #drop: MaildropModel | undefined;

  constructor(house: House, replies: Replies) {
    this.#house = house;
    this.#replies = replies;
    this.secure = house.tls;
    const greeting = replies.status("the greeting", false);
    hold(greeting.ok && !/[<>]/.test(greeting.text), "1939-01", () => `the greeting is ${show(greeting.text)}`);
  }

  /** The maildrop of who has logged in. */
  get drop(): MaildropModel | undefined {
    return this.#drop;
  }

  /** Reads what the server says to a line. */
  take(line: ClientLine): void {
    if (this.phase === "over") return;
    if (this.phase === "exchange") this.#response(line);
    else if (this.phase === "verdict") this.#lastWord(line);
    else this.#command(line);
  }

  #command({ text: line, overlong, behind }: ClientLine): void {
    const [keyword = ""] = line.split(" ", 1);
    const command = overlong ? "overlong" : keyword.replaceAll(/[a-z]/g, (letter) => letter.toUpperCase());
    const known = AUTHORIZATION.has(command) || TRANSACTION.has(command) || BOTH.has(command);
    const name = known ? command : "unknown";
    const user = this.#user;
    if (this.phase === "authorization" && line.trimEnd().toUpperCase() !== "CAPA") this.#user = undefined;
    const inPlace = BOTH.has(name) || (this.phase === "transaction" ? TRANSACTION : AUTHORIZATION).has(name);
    const tooLong = line.length + 2 > COMMAND_OCTETS && name !== "AUTH";
    if (overlong || !inPlace || tooLong)
      return this.#refused(name, overlong || tooLong ? "2449-01" : "1939-03, 1939-04");
    const rest = line.length > keyword.length ? line.slice(keyword.length + 1) : undefined;
    const words = rest === undefined ? [] : rest.replace(/ +$/, "") === "" ? [] : rest.replace(/ +$/, "").split(" ");
    if (this.phase === "authorization") this.#beforeLogin(name, rest, words, user, behind);
    else this.#afterLogin(name, words);
  }

  #beforeLogin(
    name: string,
    rest: string | undefined,
    words: readonly string[],
    user: string | undefined,
    behind: number,
  ) {
    switch (name) {
      case "USER":
        return this.#userCommand(rest);
      case "PASS":
        if (rest === undefined || user === undefined || !this.#maySend) return this.#refused(name, "1939-19, TLS-04");
        return this.#judged(name, passwordOf(user, rest));
      case "AUTH":
        return this.#auth(words);
      case "STLS":
        return this.#stls(words, behind);
      case "UTF8":
        if (words.length > 0) return this.#refused(name, "6856-01");
        this.#granted(name, "6856-01");
        this.#utf8 = true;
        return;
      case "APOP":
        return this.#refused(name, "1939-20");
      default:
        return this.#both(name, words);
    }
  }

  #both(name: string, words: readonly string[]): void {
    if (name === "LANG") return this.#lang(words);
    if (words.length > 0) return this.#refused(name, "2449-04, 1939-03");
    if (name === "CAPA") return this.#capa();
    const { update } = this.#house.faults;
    this.phase = "over";
    const marked = [...(this.#drop?.marks ?? [])].toSorted((a, b) => a - b);
    if (this.#drop === undefined) {
      this.#granted("QUIT", "1939-16");
      return;
    }
    this.updating = marked;
    const status = this.#status("QUIT");
    this.updating = undefined;
    if (update === undefined) hold(status.ok || this.#house.busy, "1939-16", () => `QUIT is told ${status.text}`);
    else hold(!status.ok && status.code === UPDATE_CODES[update], "1939-16", () => `QUIT is told ${status.text}`);
    // Of a removal in part the first stays.
    this.removed = status.ok ? marked : marked.slice(update === "partly" ? 1 : marked.length);
  }

  #userCommand(rest: string | undefined): void {
    this.#user = undefined;
    const octets = Buffer.from(rest ?? "", "latin1");
    const text = octets.toString();
    if (rest === undefined || !this.#maySend || !isUtf8(octets) || /\p{Cc}/u.test(text) || /^ *$/.test(text))
      return this.#refused("USER", "1939-19, 6856-01");
    // Blanks of other scripts are the house's to refuse.
    const status = this.#status("USER");
    hold(status.ok || text.trim() === "", "1939-19", () => `USER ${show(rest)} is told ${status.text}`);
    if (status.ok) this.#user = text;
  }

  #stls(words: readonly string[], behind: number): void {
    if (words.length > 0 || this.secure || !this.#house.stls) return this.#refused("STLS", "TLS-01");
    const status = this.#status("STLS", false);
    if (status.ok) {
      hold(behind <= 0, "TLS-02", () => `STLS is taken with ${behind} octets behind it`);
      this.secure = true;
      this.#user = undefined;
      this.#utf8 = false;
      this.#asked = undefined;
      this.#bad = 0;
      return;
    }
    hold(behind !== 0 && status.code === undefined, "TLS-02", () => `STLS is told ${status.text}`);
    this.attack = true;
    this.phase = "over";
  }

  #lang(words: readonly string[]): void {
    const [range, more] = words;
    if (more !== undefined) return this.#refused("LANG", "6856-03");
    if (range === undefined) {
      this.#granted("LANG", "6856-03");
      const lines = this.#replies.listing("LANG", true);
      const tags = lines.map((line) => line.split(" ", 1)[0]);
      return hold(tags.includes("en") && tags.includes("zh-CN"), "6856-03", () => `LANG lists ${tags.join()}`);
    }
    if (range !== "*" && !/^[a-z]{1,8}(-[a-z0-9]{1,8})*$/i.test(range)) return this.#refused("LANG", "6856-03");
    const status = this.#status("LANG", true);
    const must = ["*", "en", "zh-cn"].includes(range.toLowerCase());
    hold(status.ok || !must, "6856-03", () => `LANG ${range} is told ${status.text}`);
    if (!status.ok) return this.#countBad(status);
    const [tag = ""] = status.text.split(" ", 1);
    hold(tag === "en" || tag === "zh-CN", "6856-03", () => `LANG ${range} is told ${status.text}`);
    hold(
      range === "*" || tag.toLowerCase().startsWith(range.slice(0, 2).toLowerCase()),
      "6856-03",
      () => `${range}: ${tag}`,
    );
    this.#asked = tag;
  }

  #capa(): void {
    this.#granted("CAPA", "2449-04");
    const found = this.#replies.listing("CAPA", false).filter((line) => !isDecoration(line));
    const wanted = capabilitiesOf(this.#house, this.secure, this.phase === "transaction");
    const [one, other] = [found, wanted].map((all) => all.toSorted().join(", "));
    hold(one === other, "2449-03, 2449-04, 2449-07, SASL-06", () => `CAPA says ${one} and not ${other}`);
  }

  get #maySend(): boolean {
    return this.secure || this.#house.cleartext;
  }

  #auth(words: readonly string[]): void {
    const [given = "", initial, more] = words;
    const name = given.replaceAll(/[a-z]/g, (letter) => letter.toUpperCase());
    const response = initial === "=" ? "" : initial === undefined ? undefined : fromBase64(initial);
    const undecodable = initial !== undefined && response === undefined;
    const bindings = this.secure ? this.#house.bindings : new Map<string, string>();
    const reference = referenceOf(name, bindings, isAnnounced(this.#house, `${name}-PLUS`, this.secure));
    if (reference === undefined || more !== undefined || !isUsable(this.#house, name, this.secure) || undecodable)
      return this.#refused("AUTH", "SASL-01, SASL-02, SASL-06");
    this.#mechanism = name;
    this.#expected(reference, reference.begin(response));
  }

  #response({ text: line, overlong }: ClientLine): void {
    const exchange = this.#exchange;
    this.phase = "authorization";
    const response = overlong || line === "*" ? undefined : fromBase64(line);
    if (exchange === undefined || response === undefined) return this.#refused(this.#mechanism, "SASL-02");
    this.#expected(exchange, exchange.next(response));
  }

  #expected(exchange: Reference, expected: Expected): void {
    const name = this.#mechanism;
    switch (expected.kind) {
      case "password":
      case "token":
      case "certificate":
      case "scram":
        return this.#judged(name, expected);
      case "failed": {
        const status = this.#status(name);
        hold(!status.ok, "SASL-05", () => `${name} logs in`);
        hold(status.code === undefined || status.code === "AUTH", "3206-01", () => `${name} is told ${status.text}`);
        return this.#countBad(status);
      }
      case "facts":
        if (this.#house.faults.facts !== undefined) return this.#outage(name, this.#house.faults.facts);
        return this.#challenge(exchange, (octets) => exchange.told?.(octets));
      case "challenge":
        return this.#challenge(exchange, (octets) =>
          expected.octets === undefined || octets === expected.octets ? undefined : "another challenge",
        );
    }
  }

  #challenge(exchange: Reference, wrong: (octets: string) => string | undefined): void {
    const line = this.#replies.line(`the challenge of ${this.#mechanism}`, false, 8192);
    const octets = line.startsWith("+ ") ? fromBase64(line.slice(2)) : undefined;
    const problem = octets === undefined ? "no challenge" : wrong(octets);
    hold(problem === undefined, "SASL-02", () => `${this.#mechanism}: ${problem}: ${show(line)}`);
    this.seen.push(`${this.phase} ${this.#mechanism} challenge`);
    this.#exchange = exchange;
    this.phase = "exchange";
  }

  /** Credentials have come; undefined: nobody can have such. */
  #judged(name: string, claim: Claim | undefined): void {
    const { login } = this.#house.faults;
    const bearer = claim?.kind === "token";
    if (claim !== undefined && login !== undefined)
      return this.#outage(name, login === "throttled" ? "unavailable" : login);
    const right = claim && this.#house.knows(claim);
    const lastWord = (right !== undefined && claim?.kind === "scram") || (right === undefined && bearer);
    if (lastWord && !(this.#house.busy && !this.#replies.rest.startsWith("+ "))) {
      const line = this.#replies.line(`the last challenge of ${name}`, false, 8192);
      const octets = line.startsWith("+ ") ? fromBase64(line.slice(2)) : undefined;
      const wanted = bearer ? octets?.startsWith("{") : octets === `v=${right?.signature ?? ""}`;
      hold(wanted === true, "SASL-04, OAUTH-01", () => `${name} ends with ${show(line)}`);
      this.#verdict = right === undefined ? undefined : claim;
      this.phase = "verdict";
      return;
    }
    this.#outcome(name, right !== undefined);
  }

  // Whatever stands in it, it ends the exchange; a client that cancels does not log in.
  #lastWord({ text: line, overlong }: ClientLine): void {
    this.phase = "authorization";
    const cancelled = overlong || line === "*" || fromBase64(line) === undefined;
    if (this.#verdict !== undefined && cancelled) return this.#refused(this.#mechanism, "SASL-04");
    this.#outcome(this.#mechanism, this.#verdict !== undefined);
  }

  #outcome(name: string, right: boolean): void {
    const { busy, faults, foreign } = this.#house;
    if (right && faults.open !== undefined && faults.open !== "in-use" && faults.open !== "login-delay")
      return this.#outage(name, faults.open, foreign);
    const status = this.#status(name, right && foreign);
    const notOpened = faults.open === "in-use" ? "IN-USE" : faults.open === "login-delay" ? "LOGIN-DELAY" : undefined;
    const code = right ? notOpened : "AUTH";
    const delayed = busy && !status.ok && (status.code === "SYS/TEMP" || (right && status.code === "IN-USE"));
    const kept = status.ok ? right && code === undefined : status.code === code || delayed;
    hold(kept, "1939-05, 2449-09, 3206-01", () => `${name} ${right ? "right" : "wrong"} is told ${show(status.text)}`);
    if (!status.ok) return;
    this.phase = "transaction";
    this.#drop = new MaildropModel(this.#house.messages, this.#utf8);
  }

  #outage(name: string, fault: string, foreign = false): void {
    const status = this.#status(name, foreign);
    const code = fault === "damaged" ? "SYS/PERM" : "SYS/TEMP";
    hold(!status.ok && status.code === code, "3206-01", () => `${name} in an outage is told ${status.text}`);
  }

  #afterLogin(name: string, words: readonly string[]): void {
    const drop = this.#drop;
    if (drop === undefined || BOTH.has(name)) return this.#both(name, words);
    const [least, most] = { LIST: [0, 1], UIDL: [0, 1], RETR: [1, 1], DELE: [1, 1], TOP: [2, 2] }[name] ?? [0, 0];
    if (words.length < (least ?? 0) || words.length > (most ?? 0)) return this.#refused(name, "1939-03");
    if (name === "NOOP") return void this.#granted(name, "1939 §5");
    if (name === "RSET") {
      this.#granted(name, "1939-15");
      return drop.marks.clear();
    }
    if (name === "STAT") {
      const { text } = this.#granted(name, "1939-08");
      return hold(text === drop.stat, "1939-08", () => `STAT says ${text} and not ${drop.stat}`);
    }
    const { listing } = this.#house.faults;
    if (listing !== undefined && drop.messages.length > 0)
      return this.#outage(name, listing === "unavailable" ? listing : "damaged", this.#house.foreign);
    const [argument] = words;
    if (argument === undefined) return this.#listing(name, drop);
    this.#ofOne(name, drop, argument, words[1]);
  }

  #listing(name: string, drop: MaildropModel): void {
    this.#granted(name, "1939-09");
    const lines = this.#replies.listing(name, false);
    const numbers = lines.map((line) => Number(line.split(" ", 1)[0]));
    hold(
      numbers.join() === drop.left.join(),
      "1939-07, 1939-09",
      () => `${name} lists ${numbers.join()} and not ${drop.left.join()}`,
    );
    for (const line of lines) drop.checkEntry(name, Number(line.split(" ", 1)[0]), line);
  }

  #ofOne(name: string, drop: MaildropModel, argument: string, lines: string | undefined): void {
    const found = drop.find(argument);
    const wrongLines = lines !== undefined && !/^\d+$/.test(lines);
    if (found === undefined || wrongLines || (name === "DELE" && this.#house.noDelete))
      return this.#refused(name, "1939-14");
    const { number } = found;
    if (name === "DELE" && drop.barred.has(number)) return this.#refused(name, "house: what could not be read is kept");
    const fault = drop.messages[number - 1]?.fault;
    const status = this.#status(name, this.#isForeign);
    if (!status.ok && status.code === undefined)
      return hold(!found.sure, "1939-07", () => `${name} ${argument} is told ${status.text}`);
    if (fault !== undefined && (name === "RETR" || name === "TOP")) {
      const code = { damaged: "SYS/PERM", gone: "SYS/PERM", failed: "SYS/TEMP", utf8: "UTF8" }[fault];
      if (name === "RETR") drop.barred.add(number);
      return hold(status.code === code, "3206-01, 6856-02", () => `${name} ${argument} is told ${status.text}`);
    }
    hold(status.ok, "1939-07", () => `${name} ${argument} is told ${status.text}`);
    if (name === "DELE") drop.marks.add(number);
    else if (name === "LIST" || name === "UIDL") drop.checkEntry(name, number, status.text);
    else {
      const octets = drop.octets(number);
      const said = /^\d+/.exec(status.text)?.[0];
      hold(said === undefined || Number(said) === octets.length, "1939-10", () => `${name} says ${status.text}`);
      this.#replies.exactly(`${name} ${argument}`, wireOf(octets, lines === undefined ? undefined : Number(lines)));
      if (name === "RETR") drop.barred.delete(number);
    }
  }

  #granted(name: string, rule: string): Status {
    const status = this.#status(name);
    hold(status.ok, rule, () => `${name} is told ${status.text}`);
    return status;
  }

  /** A line that must be refused, with no code, since no credential was judged and nothing is out of order (3206-01). */
  #refused(name: string, rule: string): void {
    const status = this.#status(name);
    hold(!status.ok && status.code === undefined, rule, () => `${name} is told ${show(status.text)}`);
    this.#countBad(status);
  }

  #countBad({ code }: Status): void {
    if (this.#drop !== undefined || code !== undefined) return;
    this.#bad += 1;
    if (this.#bad === BAD_COMMANDS) this.phase = "over";
  }

  get #isForeign(): boolean {
    if (this.#asked !== undefined) return this.#asked !== "en";
    return this.#house.foreign && this.#drop !== undefined;
  }

  #status(name: string, foreign = false): Status {
    const { phase } = this;
    const status = this.#replies.status(name, foreign || this.#isForeign);
    const kind = status.ok ? "ok" : (status.code ?? status.text.replaceAll(/\d+/g, "#"));
    this.seen.push(`${phase} ${name} ${kind}`);
    return status;
  }
}

// Undefined where no password can be such.
function passwordOf(user: string, rest: string): Claim | undefined {
  const octets = Buffer.from(rest, "latin1");
  if (rest === "" || octets.length > 255 || !isUtf8(octets)) return undefined;
  return { kind: "password", user, password: octets.toString() };
}
