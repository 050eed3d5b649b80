import type { OutputOf } from "../../admin/operations.ts";
import { valueOf, withAdmin } from "../admin.ts";
import { answer, type Context, type Given } from "../context.ts";
import { renderTable } from "../table.ts";

type Penalty = OutputOf<"auth.penalties.list">["penalties"][number];

/** `mailkeep auth penalties list` */
export async function list(context: Context): Promise<number> {
  const { say } = context;
  const found = await withAdmin(context, async (admin) =>
    valueOf(context, await admin.call("auth.penalties.list", {})),
  );
  const { running, penalties } = found;
  answer(context, found, () => {
    if (penalties.length === 0) return say(running ? "penalties.none" : "penalties.no-server");
    return renderTable(
      [
        { title: say("penalties.of") },
        { title: say("penalties.account") },
        { title: say("penalties.network") },
        { title: say("penalties.failures"), right: true },
        { title: say("penalties.wait"), right: true },
      ],
      penalties.map((penalty) => [
        kindOf(context, penalty),
        penalty.account,
        penalty.network,
        String(penalty.failures),
        say("penalties.seconds", { seconds: penalty.seconds }),
      ]),
    );
  });
  return 0;
}

/** `mailkeep auth penalties clear [WHICH]` */
export async function clear(context: Context, { words: [which] }: Given): Promise<number> {
  const input = which === undefined ? {} : { which };
  const done = await withAdmin(context, async (admin) =>
    valueOf(context, await admin.call("auth.penalties.clear", input)),
  );
  answer(context, done, () =>
    context.say(done.running ? "penalties.cleared" : "penalties.no-server", { count: done.cleared }),
  );
  return 0;
}

function kindOf({ say }: Context, { of }: Penalty): string {
  if (of === "network") return say("penalties.of-network");
  return say(of === "account" ? "penalties.of-account" : "penalties.of-pair");
}
