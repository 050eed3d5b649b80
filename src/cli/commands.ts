import type { Context, Given } from "./context.ts";
import type { MessageKey } from "./language.ts";

type Handler = (context: Context, given: Given) => Promise<number>;

/** One command: its words, what it takes, and where its code is. */
export type Command = {
  readonly path: readonly [string, ...string[]];
  readonly summary: MessageKey;
  /** In the notation of commander: `<required>`, `[optional]`. */
  readonly argument?: { readonly notation: string; readonly help: MessageKey };
  readonly options?: readonly { readonly flags: string; readonly help: MessageKey }[];
  readonly example: string;
  /** Imported when the command is run, so that the others start fast. */
  readonly load: () => Promise<Handler>;
};

/** The words under which commands are gathered; of two words where a group lies in another. */
export const groups: Readonly<Record<string, MessageKey>> = {
  config: "command.config",
  domain: "command.domain",
  user: "command.user",
  maildrop: "command.maildrop",
  "app-password": "command.app-password",
  auth: "command.auth",
  "auth penalties": "command.auth.penalties",
  store: "command.store",
  certificate: "command.certificate",
};

const address = { notation: "<ADDRESS>", help: "argument.address" } as const;
const domain = { notation: "<NAME>", help: "argument.domain" } as const;
const maildrop = { notation: "<ADDRESS>", help: "argument.maildrop" } as const;
const device = { flags: "--name <NAME>", help: "option.name" } as const;
const message = { flags: "--message <UIDL>", help: "option.message" } as const;
const rate = { flags: "--rate <MB/s>", help: "option.rate" } as const;
const passwordStdin = { flags: "--password-stdin", help: "option.password-stdin" } as const;

/** Every command (INTERFACE "Commands"). */
export const commands: readonly Command[] = [
  {
    path: ["serve"],
    summary: "command.serve",
    example: "mailkeep serve --config /etc/mailkeep/mailkeep.yaml",
    load: async () => (await import("./commands/serve.ts")).serve,
  },
  {
    path: ["config", "check"],
    summary: "command.config.check",
    example: "mailkeep config check --config mailkeep.yaml",
    load: async () => (await import("./commands/config.ts")).check,
  },
  {
    path: ["config", "show"],
    summary: "command.config.show",
    example: "mailkeep config show",
    load: async () => (await import("./commands/config.ts")).show,
  },
  {
    path: ["config", "example"],
    summary: "command.config.example",
    example: "mailkeep config example > mailkeep.yaml",
    load: async () => (await import("./commands/config.ts")).example,
  },
  {
    path: ["config", "schema"],
    summary: "command.config.schema",
    example: "mailkeep config schema > mailkeep.schema.json",
    load: async () => (await import("./commands/config.ts")).schema,
  },
  {
    path: ["domain", "add"],
    summary: "command.domain.add",
    argument: domain,
    example: "mailkeep domain add example.com",
    load: async () => (await import("./commands/domain.ts")).add,
  },
  {
    path: ["domain", "list"],
    summary: "command.domain.list",
    example: "mailkeep domain list",
    load: async () => (await import("./commands/domain.ts")).list,
  },
  {
    path: ["domain", "remove"],
    summary: "command.domain.remove",
    argument: domain,
    example: "mailkeep domain remove example.com",
    load: async () => (await import("./commands/domain.ts")).remove,
  },
  {
    path: ["user", "add"],
    summary: "command.user.add",
    argument: address,
    options: [passwordStdin],
    example: "mailkeep user add alice@example.com --password-stdin < password.txt",
    load: async () => (await import("./commands/user.ts")).add,
  },
  {
    path: ["user", "show"],
    summary: "command.user.show",
    argument: address,
    example: "mailkeep user show alice@example.com",
    load: async () => (await import("./commands/user.ts")).show,
  },
  {
    path: ["user", "list"],
    summary: "command.user.list",
    argument: { notation: "[DOMAIN]", help: "argument.of-domain" },
    example: "mailkeep user list example.com",
    load: async () => (await import("./commands/user.ts")).list,
  },
  {
    path: ["user", "remove"],
    summary: "command.user.remove",
    argument: address,
    options: [{ flags: "--yes", help: "option.yes" }],
    example: "mailkeep user remove alice@example.com",
    load: async () => (await import("./commands/user.ts")).remove,
  },
  {
    path: ["user", "password"],
    summary: "command.user.password",
    argument: address,
    options: [passwordStdin],
    example: "mailkeep user password alice@example.com",
    load: async () => (await import("./commands/user.ts")).password,
  },
  {
    path: ["user", "enable"],
    summary: "command.user.enable",
    argument: address,
    example: "mailkeep user enable alice@example.com",
    load: async () => (await import("./commands/user.ts")).enable,
  },
  {
    path: ["user", "disable"],
    summary: "command.user.disable",
    argument: address,
    example: "mailkeep user disable alice@example.com",
    load: async () => (await import("./commands/user.ts")).disable,
  },
  {
    path: ["user", "set"],
    summary: "command.user.set",
    argument: address,
    options: [
      { flags: "--quota <SIZE>", help: "option.quota" },
      { flags: "--messages <N>", help: "option.messages" },
      { flags: "--expire-days <N>", help: "option.expire-days" },
      { flags: "--login-delay-seconds <N>", help: "option.login-delay-seconds" },
      { flags: "--language <TAG>", help: "option.language" },
    ],
    example: "mailkeep user set alice@example.com --quota 5GiB --language zh-CN",
    load: async () => (await import("./commands/user.ts")).set,
  },
  {
    path: ["user", "import"],
    summary: "command.user.import",
    argument: { notation: "<FILE>", help: "argument.file" },
    example: "mailkeep user import users.csv",
    load: async () => (await import("./commands/import.ts")).importUsers,
  },
  {
    path: ["maildrop", "show"],
    summary: "command.maildrop.show",
    argument: maildrop,
    example: "mailkeep maildrop show alice@example.com",
    load: async () => (await import("./commands/maildrop.ts")).show,
  },
  {
    path: ["maildrop", "messages"],
    summary: "command.maildrop.messages",
    argument: maildrop,
    example: "mailkeep maildrop messages alice+junk@example.com",
    load: async () => (await import("./commands/maildrop.ts")).messages,
  },
  {
    path: ["maildrop", "history"],
    summary: "command.maildrop.history",
    argument: maildrop,
    options: [message, { flags: "--limit <N>", help: "option.limit" }],
    example: "mailkeep maildrop history alice@example.com --message 4f-9c21a07e",
    load: async () => (await import("./commands/history.ts")).history,
  },
  {
    path: ["maildrop", "restore"],
    summary: "command.maildrop.restore",
    argument: maildrop,
    options: [
      { flags: "--since <TIME>", help: "option.since" },
      { flags: "--device <NAME>", help: "option.device" },
      message,
    ],
    example: "mailkeep maildrop restore alice@example.com --since 2h --device phone",
    load: async () => (await import("./commands/maildrop.ts")).restore,
  },
  {
    path: ["maildrop", "release"],
    summary: "command.maildrop.release",
    argument: maildrop,
    example: "mailkeep maildrop release alice@example.com",
    load: async () => (await import("./commands/maildrop.ts")).release,
  },
  {
    path: ["maildrop", "scrub"],
    summary: "command.maildrop.scrub",
    argument: maildrop,
    options: [rate],
    example: "mailkeep maildrop scrub alice@example.com",
    load: async () => (await import("./commands/scrub.ts")).scrubMaildrop,
  },
  {
    path: ["app-password", "add"],
    summary: "command.app-password.add",
    argument: address,
    options: [
      device,
      { flags: "--scope <LIST>", help: "option.scope" },
      { flags: "--no-delete", help: "option.no-delete" },
      { flags: "--expires <WHEN>", help: "option.expires" },
    ],
    example: "mailkeep app-password add alice@example.com --name phone --scope pop3,smtp --expires 90d",
    load: async () => (await import("./commands/app-password.ts")).add,
  },
  {
    path: ["app-password", "list"],
    summary: "command.app-password.list",
    argument: address,
    example: "mailkeep app-password list alice@example.com",
    load: async () => (await import("./commands/app-password.ts")).list,
  },
  {
    path: ["app-password", "revoke"],
    summary: "command.app-password.revoke",
    argument: address,
    options: [device],
    example: "mailkeep app-password revoke alice@example.com --name phone",
    load: async () => (await import("./commands/app-password.ts")).revoke,
  },
  {
    path: ["auth", "penalties", "list"],
    summary: "command.auth.penalties.list",
    example: "mailkeep auth penalties list",
    load: async () => (await import("./commands/penalties.ts")).list,
  },
  {
    path: ["auth", "penalties", "clear"],
    summary: "command.auth.penalties.clear",
    argument: { notation: "[WHICH]", help: "argument.penalty" },
    example: "mailkeep auth penalties clear 192.0.2.7",
    load: async () => (await import("./commands/penalties.ts")).clear,
  },
  {
    path: ["store", "migrate"],
    summary: "command.store.migrate",
    options: [{ flags: "--all", help: "option.all-bodies" }],
    example: "mailkeep store migrate",
    load: async () => (await import("./commands/store.ts")).migrate,
  },
  {
    path: ["store", "scrub"],
    summary: "command.store.scrub",
    options: [{ flags: "--repair", help: "option.repair" }, rate, { flags: "--restart", help: "option.restart" }],
    example: "mailkeep store scrub --repair --rate 50",
    load: async () => (await import("./commands/scrub.ts")).scrubStore,
  },
  {
    path: ["certificate", "list"],
    summary: "command.certificate.list",
    example: "mailkeep certificate list",
    load: async () => (await import("./commands/certificate.ts")).list,
  },
  {
    path: ["certificate", "self-signed"],
    summary: "command.certificate.self-signed",
    example: "mailkeep certificate self-signed",
    load: async () => (await import("./commands/certificate.ts")).selfSigned,
  },
];
