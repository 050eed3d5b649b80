import type { Admin, InputOf } from "../../admin/operations.ts";
import type { MessageRow } from "../../admin/maildrops.ts";
import { formatOctets } from "../../config/octets.ts";
import { systemClock } from "../../lib/clock.ts";
import { valueOf, withAdmin } from "../admin.ts";
import { answer, UsageError, type Context, type Given } from "../context.ts";
import { formatDate } from "../format-date.ts";
import { parseSince } from "../moment.ts";
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
        { title: say("maildrop.removed"), right: true },
        { title: say("maildrop.removed-octets"), right: true },
        { title: say("maildrop.removed-until") },
      ],
      drop.mailboxes.map(({ name, messages: count, octets, inSession, removed }) => [
        name,
        String(count),
        formatOctets(octets),
        say(inSession ? "word.yes" : "word.no"),
        String(removed.messages),
        formatOctets(removed.octets),
        removed.until === null ? "" : formatDate(removed.until),
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

/** `mailkeep maildrop restore ADDRESS [--since T] [--device NAME] [--message UIDL]` */
export async function restore(context: Context, { words: [address = ""], options }: Given): Promise<number> {
  const { say } = context;
  const { since, device, message } = options;
  const from = typeof since === "string" ? parseSince(since, systemClock.now()) : undefined;
  if (typeof since === "string" && (from === undefined || from < 0))
    throw new UsageError(say("usage.bad-since", { text: since }));
  const input = {
    address,
    ...(from === undefined ? {} : { since: from }),
    ...(typeof device === "string" ? { device } : {}),
    ...(typeof message === "string" ? { uidl: message } : {}),
  };
  const done = await withAdmin(context, async (admin) => valueOf(context, await admin.call("maildrop.restore", input)));
  answer(context, done, () => say("maildrop.restored", done));
  return 0;
}

/** `mailkeep maildrop release ADDRESS` */
export async function release(context: Context, { words: [address = ""] }: Given): Promise<number> {
  const done = await withAdmin(context, async (admin) =>
    valueOf(context, await admin.call("maildrop.release", { address })),
  );
  const { mailbox, released } = done;
  const words = { address: done.address, mailbox };
  answer(context, done, () => context.say(released ? "maildrop.released" : "maildrop.not-in-session", words));
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
