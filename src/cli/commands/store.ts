import { valueOf, withAdmin } from "../admin.ts";
import { answer, type Context } from "../context.ts";

/** `mailkeep store migrate` */
export async function migrate(context: Context): Promise<number> {
  const schema = await withAdmin(context, async (admin) => valueOf(context, await admin.call("store.migrate", {})));
  const key = schema.from === schema.to ? "store.current" : schema.from === 0 ? "store.made" : "store.migrated";
  answer(context, schema, () => context.say(key, schema));
  return 0;
}
