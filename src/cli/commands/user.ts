import type { Admin } from "../../admin/operations.ts";
import type { UserRow } from "../../admin/users.ts";
import { formatOctets, parseOctets } from "../../config/octets.ts";
import { LANGUAGES, parseLanguageTag } from "../../model/language.ts";
import { valueOf, withAdmin } from "../admin.ts";
import { answer, UsageError, type Context, type Given } from "../context.ts";
import { formatDate } from "../format-date.ts";
import { confirm, readPassword } from "../password.ts";
import { renderFacts, renderTable } from "../table.ts";

/** `mailkeep user add ADDRESS` */
export async function add(context: Context, { words: [address = ""], options }: Given): Promise<number> {
  const secret = await readPassword(context, address, options["passwordStdin"] === true);
  const added = await withAdmin(context, async (admin) =>
    valueOf(context, await admin.call("user.add", { address, password: secret })),
  );
  answer(context, added, () => context.say("user.added", added));
  return 0;
}

/** `mailkeep user password ADDRESS` */
export async function password(context: Context, { words: [address = ""], options }: Given): Promise<number> {
  const given = await readPassword(context, address, options["passwordStdin"] === true);
  const row = await withAdmin(context, async (admin) =>
    valueOf(context, await admin.call("user.password", { address, password: given })),
  );
  answer(context, row, () => context.say("user.password-set", { address: row.address }));
  return 0;
}

/** `mailkeep user show ADDRESS` */
export async function show(context: Context, { words: [address = ""] }: Given): Promise<number> {
  const { say } = context;
  const user = await withAdmin(context, async (admin) => valueOf(context, await admin.call("user.show", { address })));
  const { usage, limits, quota } = user;
  const limit = (own: number | string | null, text: string): string =>
    own === null ? say("user.default", { value: text }) : text;
  const days = limits.expireDays === 0 ? say("user.kept") : say("user.days", { days: limits.expireDays });
  const delay = say("user.seconds", { seconds: limits.loginDelaySeconds });
  answer(context, user, () =>
    renderFacts([
      [say("user.address"), user.address],
      [say("user.state"), stateOf(context, user)],
      [say("user.created"), formatDate(user.created)],
      [say("user.quota"), limit(quota.octets, formatOctets(limits.octets))],
      [say("user.messages"), limit(quota.messages, String(limits.messages))],
      [say("user.uses"), say("user.usage", { octets: formatOctets(usage.octets), messages: usage.messages })],
      [say("user.expires"), limit(user.expireDays, days)],
      [
        say("user.login-delay"),
        limit(user.loginDelaySeconds, limits.loginDelaySeconds === 0 ? say("word.none") : delay),
      ],
      [say("user.language"), limit(user.language, user.language ?? LANGUAGES[0])],
      [say("user.scram"), say(user.scram ? "word.yes" : "user.no-scram")],
      [say("user.session"), say(user.inSession ? "word.yes" : "word.no")],
    ]),
  );
  return 0;
}

/** `mailkeep user list [DOMAIN]` */
export async function list(context: Context, { words: [domain] }: Given): Promise<number> {
  const { say } = context;
  const users = await withAdmin(context, (admin) => everyUser(context, admin, domain));
  answer(context, { users }, () =>
    users.length === 0
      ? say("user.none")
      : renderTable(
          [
            { title: say("user.address") },
            { title: say("user.state") },
            { title: say("user.quota"), right: true },
            { title: say("user.messages"), right: true },
            { title: say("user.created") },
          ],
          users.map((user) => [
            user.address,
            stateOf(context, user),
            ...quotaWords(context, user),
            formatDate(user.created),
          ]),
        ),
  );
  return 0;
}

async function everyUser(context: Context, admin: Admin, domain: string | undefined): Promise<readonly UserRow[]> {
  const users: UserRow[] = [];
  for (let after: string | undefined; ;) {
    const input = { ...(domain === undefined ? {} : { domain }), ...(after === undefined ? {} : { after }) };
    const page = valueOf(context, await admin.call("user.list", input));
    users.push(...page.users);
    if (page.next === null) return users;
    after = page.next;
  }
}

/** `mailkeep user remove ADDRESS` */
export async function remove(context: Context, { words: [address = ""], options }: Given): Promise<number> {
  const { say } = context;
  if (options["yes"] !== true) await confirm(context, say("ask.remove", { address }));
  const removed = await withAdmin(context, async (admin) =>
    valueOf(context, await admin.call("user.remove", { address })),
  );
  answer(context, removed, () => say("user.removed", removed));
  return 0;
}

/** `mailkeep user enable ADDRESS` */
export async function enable(context: Context, { words: [address = ""] }: Given): Promise<number> {
  const row = await withAdmin(context, async (admin) => valueOf(context, await admin.call("user.enable", { address })));
  answer(context, row, () => context.say("user.enabled", { address: row.address }));
  return 0;
}

/** `mailkeep user disable ADDRESS` */
export async function disable(context: Context, { words: [address = ""] }: Given): Promise<number> {
  const row = await withAdmin(context, async (admin) =>
    valueOf(context, await admin.call("user.disable", { address })),
  );
  answer(context, row, () => context.say("user.disabled", { address: row.address }));
  return 0;
}

/** `mailkeep user set ADDRESS --quota SIZE …` */
export async function set(context: Context, { words: [address = ""], options }: Given): Promise<number> {
  const { say } = context;
  const number = (least: number) => (text: string) => parseCount(text, least);
  const wanted = {
    octets: readOwn(options["quota"], parseQuota, (text) => say("usage.bad-quota", { text })),
    messages: readOwn(options["messages"], number(1), (text) => say("usage.bad-messages", { text })),
    expireDays: readOwn(options["expireDays"], number(0), (text) => say("usage.bad-expire-days", { text })),
    loginDelaySeconds: readOwn(options["loginDelaySeconds"], number(0), (text) =>
      say("usage.bad-login-delay", { text }),
    ),
    language: readOwn(options["language"], parseLanguageTag, (text) =>
      say("usage.bad-language", { text, languages: LANGUAGES.join(", ") }),
    ),
  };
  const given = Object.fromEntries(Object.entries(wanted).filter(([, value]) => value !== undefined));
  if (Object.keys(given).length === 0) throw new UsageError(say("usage.nothing-to-set"));
  const row = await withAdmin(context, async (admin) =>
    valueOf(context, await admin.call("user.set", { address, ...given })),
  );
  answer(context, row, () => {
    const [quota, count] = quotaWords(context, row);
    const own = (value: number | string | null): string => (value === null ? say("word.default") : String(value));
    return say("user.set", {
      address: row.address,
      octets: quota,
      messages: count,
      days: own(row.expireDays),
      seconds: own(row.loginDelaySeconds),
      language: own(row.language),
    });
  });
  return 0;
}

// null: the default holds again.
function readOwn<T>(
  given: string | boolean | undefined,
  parse: (text: string) => T | undefined,
  complain: (text: string) => string,
): T | null | undefined {
  if (typeof given !== "string") return undefined;
  if (given === "default") return null;
  const value = parse(given);
  if (value === undefined) throw new UsageError(complain(given));
  return value;
}

function parseQuota(text: string): number | undefined {
  const octets = parseOctets(text);
  return octets === undefined || octets < 1 ? undefined : octets;
}

function parseCount(text: string, least: number): number | undefined {
  return /^\d{1,15}$/.test(text) && Number(text) >= least ? Number(text) : undefined;
}

function stateOf({ say }: Context, { enabled }: UserRow): string {
  return say(enabled ? "user.state-enabled" : "user.state-disabled");
}

function quotaWords({ say }: Context, { quota }: UserRow): readonly [string, string] {
  return [
    quota.octets === null ? say("word.default") : formatOctets(quota.octets),
    quota.messages === null ? say("word.default") : String(quota.messages),
  ];
}
