import { accountByAddress, accountPage, accountPageOfDomain } from "./accounts.ts";
import { appPasswordsOfAccount } from "./app-passwords.ts";
import { listDomains, oneDomain } from "./domains.ts";
import { clockNoted } from "./high-water.ts";
import { wholeRows } from "./damaged-rows.ts";
import { historyPage } from "./history.ts";
import { knownPlacesSince } from "./known-places.ts";
import { accountUsage, mailboxSnapshot, removedTotal } from "./mailboxes.ts";
import { messagePage, messagePageDowngraded, messagesWithBodies } from "./messages.ts";
import { messagesBefore } from "./received-before.ts";
import { removalsOfMailbox } from "./removals.ts";
import { removedPage } from "./removed.ts";
import { schemaVersion } from "./schema-version.ts";
import { scrubs } from "./scrubs.ts";
import type { Compile, CompiledStatement, Statement } from "./statement.ts";
import { directorySummary } from "./summary.ts";

/** Every statement that a thread without Kysely runs. */
const readStatements: readonly Statement<never, unknown>[] = [
  accountByAddress,
  accountPage,
  accountPageOfDomain,
  accountUsage,
  appPasswordsOfAccount,
  clockNoted,
  directorySummary,
  historyPage,
  knownPlacesSince,
  listDomains,
  mailboxSnapshot,
  messagePage,
  messagePageDowngraded,
  messagesBefore,
  messagesWithBodies,
  oneDomain,
  removalsOfMailbox,
  removedPage,
  removedTotal,
  schemaVersion,
  scrubs,
  wholeRows,
];

/** The texts of those statements, to be handed to such a thread. */
export type ReadStatements = Readonly<Record<string, CompiledStatement>>;

/** Has them compiled. */
export function compileReadStatements(compile: Compile): ReadStatements {
  return Object.fromEntries(readStatements.map((statement) => [statement.name, compile(statement)]));
}

/** Finds a statement among those that were handed over. */
export function compiledBefore(texts: ReadStatements): Compile {
  return (statement) => {
    const text = texts[statement.name];
    if (text === undefined) throw new Error(`the statement ${statement.name} is not one that only reads`);
    return text;
  };
}
