import { accountByAddress, accountPage, accountPageOfDomain } from "./accounts.ts";
import { listDomains, oneDomain } from "./domains.ts";
import { accountUsage, mailboxSnapshot } from "./mailboxes.ts";
import { messagePage, messagesWithBodies } from "./messages.ts";
import { removalsOfMailbox } from "./removals.ts";
import { schemaVersion } from "./schema-version.ts";
import type { Compile, CompiledStatement, Statement } from "./statement.ts";

/** Every statement that a thread without Kysely runs. */
const readStatements: readonly Statement<never, unknown>[] = [
  accountByAddress,
  accountPage,
  accountPageOfDomain,
  accountUsage,
  listDomains,
  mailboxSnapshot,
  messagePage,
  messagesWithBodies,
  oneDomain,
  removalsOfMailbox,
  schemaVersion,
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
