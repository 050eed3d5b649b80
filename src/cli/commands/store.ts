import { formatOctets } from "../../config/octets.ts";
import { ok } from "../../lib/result.ts";
import { SCHEMA_VERSION } from "../../store/sql/migrations.ts";
import type { Upgraded } from "../../store/upgrade/upgraded.ts";
import { byServerOr, valueOf } from "../admin.ts";
import { answer, Failure, type Context, type Given } from "../context.ts";
import { upgradeLine } from "../progress.ts";

/** `mailkeep store migrate [--all]` */
export async function migrate(context: Context, { options }: Given): Promise<number> {
  const { world } = context;
  await byServerOr<void>(
    context,
    async (admin) => {
      const schema = valueOf(context, await admin.call("store.migrate", {}));
      tellOfServer(context, schema);
    },
    async (config) => {
      const progress = upgradeLine(world.stderr, context.say);
      const upgraded = await world.ports.upgrade(config, { all: options["all"] === true, progress });
      return upgraded.ok ? ok(tell(context, upgraded.value)) : upgraded;
    },
  );
  return 0;
}

/** A server has migrated at its start what there was; one of an earlier program is in the way. */
function tellOfServer(context: Context, { from, to }: { readonly from: number; readonly to: number }): void {
  if (to < SCHEMA_VERSION) {
    throw new Failure(context.say("store.server-older", { to, program: SCHEMA_VERSION }), { code: "held" });
  }
  const kind = from === to ? "current" : from === 0 ? "made" : "migrated";
  const key = kind === "migrated" ? "store.migrated-by-server" : (`store.${kind}` as const);
  answer(context, { kind, from, to }, () => context.say(key, { from, to }));
}

function tell(context: Context, upgraded: Upgraded): void {
  const { say, json, world } = context;
  const { from, to, kind } = upgraded;
  if (kind !== "migrated") return answer(context, upgraded, () => say(`store.${kind}`, { from, to }));
  answer(context, upgraded, () => {
    const { accounts, messages, removed, bodies, bodiesRead, octets, octetsCopied } = upgraded;
    return [
      say("store.migrated", { from, to }),
      say("store.same", { accounts, messages, octets: formatOctets(octets), removed }),
      say("store.tried", { octets: formatOctets(octetsCopied), bodiesRead, bodies }),
    ].join("\n");
  });
  const { bodiesDamaged } = upgraded;
  if (bodiesDamaged > 0 && !json) world.stderr.write(`${say("store.damaged-before", { count: bodiesDamaged })}\n`);
}
