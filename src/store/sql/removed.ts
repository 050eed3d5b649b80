import type { ExpressionBuilder } from "kysely";
import type { MailboxId, Uid } from "../../model/ids.ts";
import { uidl } from "../../model/message.ts";
import type { RemovedFilter, RemovedMessage } from "../ports.ts";
import type { Sql } from "./statement.ts";
import { statement } from "./statement.ts";
import type { Tables } from "./tables.ts";

type Wanted = { mailbox: MailboxId; since: number; device: string | null; uid: number | null };

const NO_TIME_IS_LATER = Number.MAX_SAFE_INTEGER;

/** The rows of a filter, as part of another statement; what is null of it is not asked for. */
function removedRows(of: ExpressionBuilder<Tables, "removed">, given: Wanted) {
  return of.and([
    of("removed.mailbox", "=", given.mailbox),
    of("removed.at", ">=", given.since),
    of.or([of(of.val(given.device), "is", null), of("removed.device", "=", given.device)]),
    of.or([of(of.val(given.uid), "is", null), of("removed.uid", "=", given.uid as Uid)]),
  ]);
}

/** What undelete may bring back to a mailbox that is there, the newest removal first. */
export const removedPage = statement(
  "removed.page",
  (database, given: Wanted & { beforeAt: number; beforeUid: number; limit: number }) =>
    database
      .selectFrom("removed")
      .innerJoin("mailbox", "mailbox.id", "removed.mailbox")
      .select([
        "removed.uid",
        "removed.octets",
        "removed.uidl_tag",
        "removed.uidl",
        "removed.received",
        "removed.at",
        "removed.session",
        "removed.device",
      ])
      .where((of) => removedRows(of, given))
      .where((of) =>
        of(of.refTuple("removed.at", "removed.uid"), "<", of.tuple(given.beforeAt, given.beforeUid as Uid)),
      )
      .orderBy("removed.at", "desc")
      .orderBy("removed.uid", "desc")
      .limit(given.limit),
);

/** A filter's parameters. */
function wanted(mailbox: MailboxId, { since = 0, device, uid }: RemovedFilter): Wanted {
  return { mailbox, since, device: device ?? null, uid: uid ?? null };
}

/** See Mail.removedMessages. */
export async function pageOfRemoved(
  sql: Sql,
  mailbox: MailboxId,
  query: RemovedFilter & { readonly after?: { readonly at: number; readonly uid: Uid }; readonly limit: number },
): Promise<readonly RemovedMessage[]> {
  const { after, limit } = query;
  const behind = { beforeAt: after?.at ?? NO_TIME_IS_LATER, beforeUid: after?.uid ?? 0, limit };
  const rows = await sql.all(removedPage, { ...wanted(mailbox, query), ...behind });
  return rows.map(({ uidl_tag, uidl: name, ...row }) => ({ ...row, uidl: name ?? uidl(row.uid, uidl_tag) }));
}
