import type { AppPasswordRow } from "../../admin/app-passwords.ts";
import type { Config } from "../../config/schema.ts";
import { systemClock } from "../../lib/clock.ts";
import { SCOPES, type Scope } from "../../model/device.ts";
import { valueOf, withAdmin } from "../admin.ts";
import { answer, UsageError, type Context, type Given } from "../context.ts";
import { formatDate } from "../format-date.ts";
import { parseUntil } from "../moment.ts";
import { renderFacts, renderTable } from "../table.ts";

/** Where a mail program finds the server. */
type Place = {
  readonly protocol: "pop3" | "submission";
  readonly host: string;
  readonly port: number;
  readonly tls: "implicit" | "starttls" | "none";
};

/** `mailkeep app-password add ADDRESS --name N [--scope LIST] [--no-delete] [--expires WHEN]` */
export async function add(context: Context, given: Given): Promise<number> {
  const { options } = given;
  const scopes = readScopes(context, options["scope"]);
  const expires = readExpires(context, options["expires"]);
  const input = {
    address: given.words[0] ?? "",
    name: requireName(context, given),
    ...(scopes === undefined ? {} : { scopes }),
    ...(expires === undefined ? {} : { expires }),
    // Commander takes --no-delete for the absence of --delete.
    noDelete: options["delete"] === false,
  };
  const [made, places] = await withAdmin(context, async (admin, config) => {
    const value = valueOf(context, await admin.call("app-password.add", input));
    return [value, placesOf(config, value.scopes)] as const;
  });
  answer(context, { ...made, servers: places }, () =>
    [
      context.say("app-password.made", { address: made.address, name: made.name }),
      "",
      `    ${made.password}`,
      "",
      context.say("app-password.once"),
      renderFacts(factsOf(context, made, places)),
    ].join("\n"),
  );
  return 0;
}

/** `mailkeep app-password list ADDRESS` */
export async function list(context: Context, { words: [address = ""] }: Given): Promise<number> {
  const { say } = context;
  const found = await withAdmin(context, async (admin) =>
    valueOf(context, await admin.call("app-password.list", { address })),
  );
  const columns = ["name", "scopes", "rights", "expires", "last-used", "last-place"] as const;
  answer(context, found, () =>
    found.appPasswords.length === 0
      ? say("app-password.none", { address: found.address })
      : renderTable(
          columns.map((title) => ({ title: say(`app-password.${title}`) })),
          found.appPasswords.map((row) => [
            row.name,
            row.scopes.join(", "),
            rightsOf(context, row),
            expiryOf(context, row),
            row.lastUsed === null ? say("app-password.never-used") : formatDate(row.lastUsed),
            row.lastPeer ?? "",
          ]),
        ),
  );
  return 0;
}

/** `mailkeep app-password revoke ADDRESS --name N` */
export async function revoke(context: Context, given: Given): Promise<number> {
  const name = requireName(context, given);
  const done = await withAdmin(context, async (admin) =>
    valueOf(context, await admin.call("app-password.revoke", { address: given.words[0] ?? "", name })),
  );
  answer(context, done, () => context.say("app-password.revoked", done));
  return 0;
}

function requireName({ say }: Context, { options }: Given): string {
  const name = options["name"];
  if (typeof name !== "string" || name.trim() === "") throw new UsageError(say("usage.no-name"));
  return name;
}

function readScopes({ say }: Context, text: string | boolean | undefined): Scope[] | undefined {
  if (typeof text !== "string") return undefined;
  const words = text.split(",").map((word) => word.trim().toLowerCase());
  const scopes = words.flatMap((word) => SCOPES.filter((scope) => scope === word));
  if (scopes.length !== words.length) throw new UsageError(say("usage.bad-scope", { text, scopes: SCOPES.join(",") }));
  return scopes;
}

function readExpires({ say }: Context, text: string | boolean | undefined): number | undefined {
  if (typeof text !== "string") return undefined;
  const now = systemClock.now();
  const moment = parseUntil(text, now);
  if (moment === undefined || moment <= now) throw new UsageError(say("usage.bad-expires", { text }));
  return moment;
}

function expiryOf({ say }: Context, { expires, expired }: AppPasswordRow): string {
  if (expires === null) return say("app-password.never");
  return expired ? say("app-password.expired", { date: formatDate(expires) }) : formatDate(expires);
}

function factsOf(
  context: Context,
  made: AppPasswordRow & { readonly address: string },
  places: readonly Place[],
): readonly (readonly [string, string])[] {
  const { say } = context;
  return [
    [say("app-password.user"), made.address],
    ...places.map(({ protocol, host, port, tls }): readonly [string, string] => [
      say(`app-password.${protocol}`),
      say(`app-password.place-${tls}`, { host, port }),
    ]),
    [say("app-password.rights"), rightsOf(context, made)],
    [say("app-password.expires"), expiryOf(context, made)],
  ];
}

function rightsOf({ say }: Context, { scopes, noDelete }: AppPasswordRow): string {
  const rights = [
    ...(scopes.includes("pop3") ? [say(noDelete ? "app-password.read-only" : "app-password.all-rights")] : []),
    ...(scopes.includes("smtp") ? [say("app-password.send")] : []),
  ];
  return rights.join(say("word.and"));
}

// What is encrypted comes first: a client is set up with the first line that it can do.
function placesOf(config: Config, scopes: readonly Scope[]): readonly Place[] {
  const wanted: Readonly<Record<Scope, Place["protocol"]>> = { pop3: "pop3", smtp: "submission" };
  const seen = new Set<string>();
  const places: Place[] = [];
  for (const protocol of scopes.map((scope) => wanted[scope])) {
    for (const mode of ["implicit", "starttls", "none"] as const) {
      for (const listener of config.listeners) {
        if (listener.protocol !== protocol || listener.tls !== mode) continue;
        // Behind a proxy clients connect to the proxy, on ports that only its operator knows.
        if (listener.proxyProtocolFrom.length > 0) continue;
        for (const address of listener.address) {
          if (address.kind !== "tcp" || seen.has(`${protocol} ${address.port}`)) continue;
          seen.add(`${protocol} ${address.port}`);
          places.push({ protocol, host: config.server.hostname, port: address.port, tls: mode });
        }
      }
    }
  }
  return places;
}
