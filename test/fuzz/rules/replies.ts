import { isUtf8 } from "node:buffer";
import { hold, show } from "../target.ts";

/** The server's octets end here, and it was not the server who ended them. */
export class Cut extends Error {}

const CODES: ReadonlySet<string> = new Set(["AUTH", "IN-USE", "LOGIN-DELAY", "SYS/TEMP", "SYS/PERM", "UTF8"]);

export type Status = {
  readonly ok: boolean;
  readonly code: string | undefined;
  /** Behind the indicator, the code included. */
  readonly text: string;
};

/** Reads what a server said (latin1), and holds each line of it to what lines have to be. */
export class Replies {
  readonly #said: string;
  readonly #isWhole: boolean;
  #at = 0;

  /** `isWhole`: the server has said all of it and no more was to come. */
  constructor(said: string, isWhole = true) {
    this.#said = said;
    this.#isWhole = isWhole;
  }

  get rest(): string {
    return this.#said.slice(this.#at);
  }

  /** A line that is ours to write: status, challenge, or one of a listing; without its CRLF. */
  line(what: string, foreign: boolean, most = 512): string {
    const end = this.#said.indexOf("\r\n", this.#at);
    if (end < 0 && !this.#isWhole) throw new Cut();
    hold(end >= 0, "1939 §3", () => `no line is there for ${what}, but ${show(this.rest)}`);
    const line = this.#said.slice(this.#at, end);
    this.#at = end + 2;
    hold(line.length + 2 <= most, "2449-02", () => `${line.length + 2} octets in the line for ${what}: ${show(line)}`);
    hold(!/[\0-\x1f\x7f]/.test(line), "2449-02", () => `a control octet in the line for ${what}: ${show(line)}`); // oxlint-disable-line eslint/no-control-regex
    const octets = Buffer.from(line, "latin1");
    hold(foreign ? isUtf8(octets) : /^[ -~]*$/.test(line), "1939 §3", () => `not ASCII, for ${what}: ${show(line)}`);
    return line;
  }

  /** A status line (rules 1939-02, 2449-06). */
  status(what: string, foreign: boolean): Status {
    const line = this.line(what, foreign);
    const [, indicator, text = ""] = /^(\+OK|-ERR)(?: (.*))?$/.exec(line) ?? [];
    hold(indicator !== undefined, "1939-02", () => `no status indicator for ${what}: ${show(line)}`);
    const code = /^\[([^\]]*)\] ./.exec(text)?.[1];
    hold(code !== undefined || !text.startsWith("["), "2449-06", () => `no response code, for ${what}: ${show(line)}`);
    hold(
      code === undefined || (CODES.has(code) && indicator === "-ERR"),
      "2449-06",
      () => `for ${what}: ${show(line)}`,
    );
    return { ok: indicator === "+OK", code, text };
  }

  /** The lines of a listing up to its dot. */
  listing(what: string, foreign: boolean): string[] {
    const lines: string[] = [];
    for (;;) {
      const line = this.line(`a line of ${what}`, foreign);
      if (line === ".") return lines;
      hold(line !== "" && !line.startsWith("."), "1939-11", () => `a line of ${what} is ${show(line)}`);
      lines.push(line);
    }
  }

  /** A message in wire form: exactly these octets, which end with a dot of their own. */
  exactly(what: string, wire: string): void {
    const found = this.#said.slice(this.#at, this.#at + wire.length);
    if (!this.#isWhole && found.length < wire.length && wire.startsWith(found)) throw new Cut();
    hold(found === wire, "1939-11, 1939-12", () => {
      let at = 0;
      while (found[at] === wire[at]) at += 1;
      return `${what} differs at octet ${at}: ${show(found.slice(at), 60)} is not ${show(wire.slice(at), 60)}`;
    });
    this.#at += wire.length;
  }
}

/** A whole message as RETR sends it, or TOP with so many lines (rules 1939-11 to 1939-13), done the slow way. */
export function wireOf(octets: string, lines?: number): string {
  const all = octets.match(/[^\n]*\n|[^\n]+$/g) ?? [];
  const blank = all.findIndex((line) => line === "\n" || line === "\r\n");
  const sent = lines === undefined || blank < 0 ? all : all.slice(0, Math.min(all.length, blank + 1 + lines));
  const text = sent.join("");
  const stuffed = sent.map((line) => (line.startsWith(".") ? `.${line}` : line)).join("");
  return `${stuffed}${text === "" || text.endsWith("\r\n") ? "" : "\r\n"}.\r\n`;
}
