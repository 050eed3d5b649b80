import { valueOf, withAdmin } from "../admin.ts";
import { answer, type Context, type Given } from "../context.ts";

/** `mailkeep domain add NAME` */
export async function add(context: Context, { words: [name = ""] }: Given): Promise<number> {
  const added = await withAdmin(context, async (admin) => valueOf(context, await admin.call("domain.add", { name })));
  answer(context, added, () => context.say("domain.added", added));
  return 0;
}

/** `mailkeep domain list` */
export async function list(context: Context): Promise<number> {
  const { domains } = await withAdmin(context, async (admin) => valueOf(context, await admin.call("domain.list", {})));
  answer(context, { domains }, () => (domains.length === 0 ? context.say("domain.none") : domains.join("\n")));
  return 0;
}

/** `mailkeep domain remove NAME` */
export async function remove(context: Context, { words: [name = ""] }: Given): Promise<number> {
  const removed = await withAdmin(context, async (admin) =>
    valueOf(context, await admin.call("domain.remove", { name })),
  );
  answer(context, removed, () => context.say("domain.removed", removed));
  return 0;
}
