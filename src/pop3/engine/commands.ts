import { pass, stls, user } from "./authorization.ts";
import { capa } from "./capabilities.ts";
import type { Effects } from "./effects.ts";
import { quit } from "./quit.ts";
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
  | { readonly phase: "both"; readonly run: (session: Session, effects: Effects) => void }
);

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

/** Every command, one row each. */
const rules: readonly (readonly [CommandName, Rule])[] = [
  ["USER", { phase: "authorization", arity: "rest", run: user }],
  ["PASS", { phase: "authorization", arity: "rest", run: pass }],
  ["AUTH", { phase: "authorization", arity: [1, 2], run: auth }],
  ["STLS", { phase: "authorization", arity: [0, 0], run: stls }],
  ["CAPA", { phase: "both", arity: [0, 0], run: capa }],
  ["QUIT", { phase: "both", arity: [0, 0], run: quit }],
  ["STAT", { phase: "transaction", needsListing: false, arity: [0, 0], run: stat }],
  ["LIST", { phase: "transaction", needsListing: true, arity: [0, 1], run: list }],
  ["UIDL", { phase: "transaction", needsListing: true, arity: [0, 1], run: uidl }],
  ["RETR", { phase: "transaction", needsListing: true, arity: [1, 1], run: retr }],
  ["TOP", { phase: "transaction", needsListing: true, arity: [2, 2], run: top }],
  ["DELE", { phase: "transaction", needsListing: true, arity: [1, 1], run: dele }],
  ["NOOP", { phase: "transaction", needsListing: false, arity: [0, 0], run: noop }],
  ["RSET", { phase: "transaction", needsListing: false, arity: [0, 0], run: rset }],
];

/** The table by name. */
export const commands: ReadonlyMap<string, Rule & { readonly name: CommandName }> = new Map(
  rules.map(([name, rule]) => [name, { ...rule, name }]),
);
