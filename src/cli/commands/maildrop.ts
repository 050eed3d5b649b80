import type { Admin, InputOf } from "../../admin/operations.ts";
import type { MessageRow } from "../../admin/maildrops.ts";
import { formatOctets } from "../../config/octets.ts";
import { valueOf, withAdmin } from "../admin.ts";
import { answer, type Context, type Given } from "../context.ts";
import { formatDate } from "../format-date.ts";
import { renderTable } from "../table.ts";

/** `mailkeep maildrop show ADDRESS` */
export async function show(context: Context, { words: [address = ""] }: Given): Promise<number> {
  const { say } = context;
  const drop = await withAdmin(context, async (admin) =>
    valueOf(context, await admin.call("maildrop.show", { address })),
  );
  answer(context, drop, () => {
    const table = renderTable(
      [
        { title: say("maildrop.mailbox") },
        { title: say("maildrop.messages"), right: true },
        { title: say("maildrop.octets"), right: true },
        { title: say("maildrop.session") },
      ],
      drop.mailboxes.map(({ name, messages: count, octets, inSession }) => [
        name,
        String(count),
        formatOctets(octets),
        say(inSession ? "word.yes" : "word.no"),
      ]),
    );
    return `${table}\n${say("maildrop.limits", { ...drop.limits, address: drop.address, octets: formatOctets(drop.limits.octets) })}`;
  });
  return 0;
}

/** `mailkeep maildrop messages ADDRESS` */
export async function messages(context: Context, { words: [address = ""] }: Given): Promise<number> {
  const { say } = context;
  const listed = await withAdmin(context, (admin) => everyMessage(context, admin, address));
  answer(context, listed, () =>
    listed.messages.length === 0
      ? say("maildrop.empty", { address: listed.address, mailbox: listed.mailbox })
      : renderTable(
          [
            { title: say("maildrop.number"), right: true },
            { title: say("maildrop.uidl") },
            { title: say("maildrop.octets"), right: true },
            { title: say("maildrop.received") },
          ],
          listed.messages.map((message) => [
            String(message.number),
            message.uidl,
            formatOctets(message.octets),
            message.received === null ? "" : formatDate(message.received),
          ]),
        ),
  );
  return 0;
}

async function everyMessage(context: Context, admin: Admin, address: string) {
  const rows: MessageRow[] = [];
  for (let input: InputOf<"maildrop.messages"> = { address }; ;) {
    const page = valueOf(context, await admin.call("maildrop.messages", input));
    rows.push(...page.messages);
    if (page.next === null) return { address: page.address, mailbox: page.mailbox, messages: rows };
    input = { address, ...page.next };
  }
}
