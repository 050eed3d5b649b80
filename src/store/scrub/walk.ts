import type { MailboxName } from "../../model/account.ts";
import type { BodyId } from "../../model/ids.ts";
import { uidl } from "../../model/message.ts";
import type { Disk } from "../disk.ts";
import type { Layout } from "../layout.ts";
import type { ScrubRows } from "../sql/scrub-rows.ts";
import type { Sql, SqlValue } from "../sql/statement.ts";
import type { MessageRow } from "../sql/tables.ts";
import type { Mend } from "./mend.ts";
import type { Pace } from "./pace.ts";
import type { Finding, FindingKind, ScrubRequest, ScrubState } from "./report.ts";
import { MOST_FINDINGS } from "./report.ts";
import { StoreError } from "../ports.ts";

/** A connection that only reads, of a scrub's own. */
export type ScrubSql = Sql & {
  query(text: string, values?: readonly SqlValue[]): readonly Record<string, SqlValue>[];
};

/** What a scrub works with; it changes nothing itself. */
export type ScrubParts = {
  readonly sql: ScrubSql;
  readonly disk: Disk;
  readonly layout: Layout;
  readonly now: () => number;
  readonly monotonic: () => number;
  readonly request: ScrubRequest;
  readonly signal: AbortSignal;
  /** Has the writer mend something; false: it was not as it was found any more. */
  readonly mend: (mend: Mend) => Promise<boolean>;
  /** Keeps how far it is. */
  readonly note: (state: ScrubState) => Promise<void>;
  readonly tell: (finding: Finding) => void;
  readonly progress: (progress: { readonly done: number; readonly total: number }) => void;
};

/** A scrub under way: where it is, what it has found, and what its stages share. */
export type Walk = {
  readonly parts: ScrubParts;
  readonly rows: ScrubRows;
  readonly pace: Pace;
  readonly owners: Owners;
  state: ScrubState;
  /** Of the octets of all bodies. */
  total: number;
  lastNoted: number;
};

/** Whose mailbox it is, and which of theirs. */
export type Owner = { readonly address: string; readonly mailbox: MailboxName };
export type Owners = Map<number, Owner>;

// While a scrub is under way its place is noted so often: what is lost of it is read once more.
const NOTE_MS = 5000;

/** What is done about a finding: by the writer, or a file that goes. */
type Remedy = Mend | (() => boolean);

/** Notes one thing that is wrong, after it was tried to mend it. */
export async function report(
  walk: Walk,
  kind: FindingKind,
  detail: string,
  more: { readonly of?: MessageRow; readonly owner?: Owner | undefined; readonly mend?: Remedy | undefined } = {},
): Promise<void> {
  const { parts } = walk;
  const { of, mend } = more;
  const wanted = mend !== undefined && parts.request.repair;
  const mended = wanted && (typeof mend === "function" ? mend() : await parts.mend(mend));
  const owner = more.owner ?? (of && (await ownerOf(walk, of.mailbox)));
  const finding: Finding = {
    kind,
    ...owner,
    ...(of && { uidl: of.uidl ?? uidl(of.uid, of.uidl_tag), octets: of.octets, received: of.received }),
    detail,
    mendable: mend !== undefined,
    mended,
  };
  const { state } = walk;
  const findings = state.found < MOST_FINDINGS ? [...state.findings, finding] : state.findings;
  walk.state = { ...state, found: state.found + 1, mended: state.mended + Number(mended), findings };
  parts.tell(finding);
}

async function ownerOf({ owners, rows }: Walk, mailbox: number): Promise<Owner | undefined> {
  const known = owners.get(mailbox);
  if (known !== undefined) return known;
  const row = await rows.mailboxAfter(mailbox - 1);
  if (row?.id !== mailbox || row.address === null) return undefined;
  const owner = { address: row.address, mailbox: row.name };
  owners.set(mailbox, owner);
  return owner;
}

/** Notes the place from time to time, and says how far it is. */
export async function step(walk: Walk, change: Partial<ScrubState>): Promise<void> {
  const { parts } = walk;
  walk.state = { ...walk.state, ...change, at: parts.now() };
  parts.progress({ done: Math.min(walk.state.octets, walk.total), total: walk.total });
  const now = parts.monotonic();
  if (now - walk.lastNoted < NOTE_MS || parts.request.mailboxes !== undefined) return;
  walk.lastNoted = now;
  await parts.note(walk.state);
}

/** Runs statements that all see one moment; others write meanwhile. */
export async function atOneMoment<T>({ parts: { sql } }: Walk, work: () => Promise<T>): Promise<T> {
  sql.query("begin");
  try {
    return await work();
  } finally {
    sql.query("commit");
  }
}

const HIDES: ReadonlySet<FindingKind> = new Set(["database", "row", "body-row", "no-mailbox", "removal"]);

/** Whether what rows say together can be believed: where some are damaged, what seems to belong to nobody may be theirs. */
export function isCertain({ state }: Walk): boolean {
  if (state.found > MOST_FINDINGS) return false;
  return !state.findings.some(({ kind, mended }) => HIDES.has(kind) && !mended);
}

/** Whether a cause is damage that the database itself met. */
export function isDamage(cause: unknown): cause is StoreError {
  return cause instanceof StoreError && cause.kind === "damaged";
}

// As many rows as a page of the database holds, more or less.
const OVER = 64;

/** How rows are gone through in order of a number. */
type Pages<Row> = {
  readonly from: number;
  /** Nothing is looked for behind it where pages are damaged. */
  readonly upTo: number;
  readonly limit: number;
  readonly next: (after: number, limit: number) => Promise<readonly Row[]>;
  readonly numberOf: (row: Row) => number;
  readonly owner?: Owner | undefined;
};

/**
 * Goes through rows page by page. Where a page of the database is damaged it is told once; rows in front of it are read one by
 * one, and those behind it are found by seeking over it.
 */
export async function eachPage<Row>(
  walk: Walk,
  { from, upTo, limit, next, numberOf, owner }: Pages<Row>,
  work: (page: readonly Row[]) => Promise<void>,
): Promise<void> {
  let told = false;
  let most = limit;
  for (let after = from; ;) {
    const page = await unlessDamaged(() => next(after, most));
    if (page instanceof StoreError) {
      if (!told) await report(walk, "database", wordsOf(page), { owner });
      told = true;
      if (most === 1) after += OVER;
      if (after > upTo) return;
      most = 1;
      await walk.pace.spend(OVER);
      continue;
    }
    const last = page.at(-1);
    if (last === undefined) return;
    await work(page);
    after = numberOf(last);
    // Behind what was damaged whole pages are read again.
    if (most < limit) most = Math.min(limit, most * 2);
  }
}

async function unlessDamaged<T>(work: () => Promise<T>): Promise<T | StoreError> {
  try {
    return await work();
  } catch (cause) {
    if (isDamage(cause)) return cause;
    throw cause;
  }
}

/** SQLite's own words. */
export function wordsOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  return cause.cause instanceof Error ? cause.cause.message : cause.message;
}

/** The messages that show a body, removed or not; none where the rows cannot be gone through. */
export async function showing({ rows }: Walk, body: BodyId): Promise<readonly MessageRow[]> {
  try {
    return await rows.showing([body]);
  } catch (cause) {
    if (isDamage(cause)) return [];
    throw cause;
  }
}
