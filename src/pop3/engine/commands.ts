import { apop, pass, stls, user, utf8 } from "./authorization.ts";
import { capa } from "./capabilities.ts";
import type { Effects } from "./effects.ts";
import { lang } from "./lang.ts";
import { quit } from "./quit.ts";
import type { ResponseCode } from "./response-codes.ts";
import { auth } from "./sasl.ts";
import type { Authorization, Session, Transaction } from "./session.ts";
import { dele, list, noop, retr, rset, stat, top, uidl } from "./transaction.ts";

/** What a command takes: so many arguments, at least and at most; or the rest of the line as it stands. */
type Arity = readonly [least: number, most: number] | "rest";

type Run<State> = (session: Session, state: State, words: readonly string[], effects: Effects) => void;

/** One command: where it is valid, what it takes, what it does, and whether STAT's figures are not enough for it. */
export type Rule = { readonly arity: Arity } & (
  | { readonly phase: "authorization"; readonly run: Run<Authorization> }
  | { readonly phase: "transaction"; readonly run: Run<Transaction>; readonly needsListing: boolean }
  | {
      readonly phase: "both";
      readonly run: (session: Session, words: readonly string[], effects: Effects) => void;
    }
);

/** What the reference says of a command (docs/reference/pop3.md is made of it); a test holds the codes to the transcripts. */
type Description = {
  /** As it is written. */
  readonly usage: string;
  readonly summary: string;
  /** What it answers where it is carried out; a refusal is `-ERR` and a text. */
  readonly reply: string;
  /** The codes that such a refusal may carry. */
  readonly codes: readonly ResponseCode[];
  readonly rfc: string;
};

export type CommandName =
  | "APOP"
  | "AUTH"
  | "CAPA"
  | "DELE"
  | "LANG"
  | "LIST"
  | "NOOP"
  | "PASS"
  | "QUIT"
  | "RETR"
  | "RSET"
  | "STAT"
  | "STLS"
  | "TOP"
  | "UIDL"
  | "USER"
  | "UTF8";

export type Command = Rule & Description & { readonly name: CommandName };

const LOGIN_CODES: readonly ResponseCode[] = ["AUTH", "IN-USE", "LOGIN-DELAY", "SYS/TEMP", "SYS/PERM"];
const STORE_CODES: readonly ResponseCode[] = ["SYS/TEMP", "SYS/PERM"];
const MESSAGE_CODES: readonly ResponseCode[] = ["SYS/TEMP", "SYS/PERM", "UTF8"];
const NO_CODES: readonly ResponseCode[] = [];

/** Every command, one row each. */
const rows: readonly Command[] = [
  {
    name: "USER",
    phase: "authorization",
    arity: "rest",
    run: user,
    usage: "USER name",
    summary: "Says whose maildrop it is. Any name is taken, so that none can be found out. A name may be UTF-8.",
    reply: "+OK",
    codes: NO_CODES,
    rfc: "RFC 1939 §7, RFC 6856 §2.2",
  },
  {
    name: "PASS",
    phase: "authorization",
    arity: "rest",
    run: pass,
    usage: "PASS password",
    summary:
      "Right after USER: logs in and opens the maildrop for this session alone. All that stands behind the one space is the password, spaces included; it may be UTF-8.",
    reply: "+OK messages (octets)",
    codes: LOGIN_CODES,
    rfc: "RFC 1939 §7, RFC 6856 §2.2",
  },
  {
    name: "APOP",
    phase: "authorization",
    arity: [0, Infinity],
    run: apop,
    usage: "APOP name digest",
    summary: "Is refused: the server would have to keep passwords readable. The greeting has no timestamp for it.",
    reply: "-ERR",
    codes: NO_CODES,
    rfc: "RFC 1939 §7",
  },
  {
    name: "AUTH",
    phase: "authorization",
    arity: [1, 2],
    run: auth,
    usage: "AUTH mechanism [initial-response]",
    summary:
      "Logs in by SASL. This line and the lines of the exchange may have 32 KiB; `*` cancels. What the mechanism says at the end is one more `+ ` line, which the client answers with a line of its own.",
    reply: "+ challenge, perhaps several; then +OK messages (octets)",
    codes: LOGIN_CODES,
    rfc: "RFC 5034 §4",
  },
  {
    name: "STLS",
    phase: "authorization",
    arity: [0, 0],
    run: stls,
    usage: "STLS",
    summary:
      "Begins TLS. All that was said before it is forgotten (USER, UTF8, LANG); octets behind it in clear text end the connection.",
    reply: "+OK, then the handshake",
    codes: NO_CODES,
    rfc: "RFC 2595 §4",
  },
  {
    name: "UTF8",
    phase: "authorization",
    arity: [0, 0],
    run: utf8,
    usage: "UTF8",
    summary:
      "Messages come as they were delivered. Without it, header fields that hold UTF-8 are converted to ASCII on their way, and all sizes are of that form.",
    reply: "+OK",
    codes: NO_CODES,
    rfc: "RFC 6856 §2",
  },
  {
    name: "LANG",
    phase: "both",
    arity: [0, 1],
    run: lang,
    usage: "LANG [range]",
    summary:
      "Lists the languages of the replies, or goes over to one; `*`: the account's own, before a login the server's. An unknown one changes nothing.",
    reply: "+OK, a line `tag name` for each, and `.`; or +OK tag text",
    codes: NO_CODES,
    rfc: "RFC 6856 §3",
  },
  {
    name: "CAPA",
    phase: "both",
    arity: [0, 0],
    run: capa,
    usage: "CAPA",
    summary: "Lists the capabilities (below).",
    reply: "+OK, a line for each, and `.`",
    codes: NO_CODES,
    rfc: "RFC 2449 §5",
  },
  {
    name: "QUIT",
    phase: "both",
    arity: [0, 0],
    run: quit,
    usage: "QUIT",
    summary:
      "Ends the session. After a login it removes what was marked, in one transaction, and the answer is its outcome; `[SYS/TEMP]`: nothing was removed; `[SYS/PERM]`: all but messages whose rows are damaged, which stay.",
    reply: "+OK",
    codes: ["SYS/TEMP", "SYS/PERM"],
    rfc: "RFC 1939 §4, §6",
  },
  {
    name: "STAT",
    phase: "transaction",
    needsListing: false,
    arity: [0, 0],
    run: stat,
    usage: "STAT",
    summary: "Counts what is not marked deleted.",
    reply: "+OK messages octets",
    codes: NO_CODES,
    rfc: "RFC 1939 §5",
  },
  {
    name: "LIST",
    phase: "transaction",
    needsListing: true,
    arity: [0, 1],
    run: list,
    usage: "LIST [message]",
    summary: "Tells octets: of one message, or of all that are not marked deleted. They are what RETR sends.",
    reply: "+OK message octets; or +OK, a line for each, and `.`",
    codes: STORE_CODES,
    rfc: "RFC 1939 §5",
  },
  {
    name: "UIDL",
    phase: "transaction",
    needsListing: true,
    arity: [0, 1],
    run: uidl,
    usage: "UIDL [message]",
    summary: "Tells unique ids, which are never used again: of one message, or of all that are not marked deleted.",
    reply: "+OK message unique-id; or +OK, a line for each, and `.`",
    codes: STORE_CODES,
    rfc: "RFC 1939 §7",
  },
  {
    name: "RETR",
    phase: "transaction",
    needsListing: true,
    arity: [1, 1],
    run: retr,
    usage: "RETR message",
    summary:
      "Sends a message. One that is found damaged on its way is cut without its `.`, and cannot be deleted in this session until it has left whole.",
    reply: "+OK octets, the message, and `.`",
    codes: MESSAGE_CODES,
    rfc: "RFC 1939 §5, RFC 6856 §4, §5",
  },
  {
    name: "TOP",
    phase: "transaction",
    needsListing: true,
    arity: [2, 2],
    run: top,
    usage: "TOP message lines",
    summary: "Sends the header, the blank line and so many lines of the body.",
    reply: "+OK, the lines, and `.`",
    codes: MESSAGE_CODES,
    rfc: "RFC 1939 §7, RFC 6856 §4, §5",
  },
  {
    name: "DELE",
    phase: "transaction",
    needsListing: true,
    arity: [1, 1],
    run: dele,
    usage: "DELE message",
    summary: "Marks a message deleted. A device that may only read is refused.",
    reply: "+OK",
    codes: STORE_CODES,
    rfc: "RFC 1939 §5",
  },
  {
    name: "NOOP",
    phase: "transaction",
    needsListing: false,
    arity: [0, 0],
    run: noop,
    usage: "NOOP",
    summary: "Does nothing. Before a login it is an error, as the RFC has it.",
    reply: "+OK",
    codes: NO_CODES,
    rfc: "RFC 1939 §5",
  },
  {
    name: "RSET",
    phase: "transaction",
    needsListing: false,
    arity: [0, 0],
    run: rset,
    usage: "RSET",
    summary: "Unmarks all that was marked deleted.",
    reply: "+OK",
    codes: NO_CODES,
    rfc: "RFC 1939 §5",
  },
];

/** The table by name. */
export const commands: ReadonlyMap<string, Command> = new Map(rows.map((row) => [row.name, row]));
