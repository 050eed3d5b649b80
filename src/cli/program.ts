import { Command as Node, type CommanderError } from "commander";
import { version } from "../app/version.ts";
import { commands, groups, type Command } from "./commands.ts";
import { UsageError, type Context, type Given, type World } from "./context.ts";
import type { MessageKey, Say } from "./language.ts";
import { languageOf } from "../config/language.ts";
import { displayWidth } from "./width.ts";

/** The command that was run: how it ended is read here afterwards. */
export type Run = { code: number };

/** The command line as commander knows it, made from the table. */
export function buildProgram(world: World, say: Say, run: Run): Node {
  const root = new Node("mailkeep");
  root
    .description(say("command.mailkeep"))
    .option("--config <FILE>", say("option.config"))
    .option("--json", say("option.json"))
    .helpOption("--help", say("help.help"))
    .version(version, "--version", say("help.version"))
    .helpCommand(false)
    .addHelpText("after", `\n${say("help.more")}`)
    .configureHelp({ showGlobalOptions: true, displayWidth, styleTitle: (title) => translateTitle(title, say) })
    .configureOutput({
      writeOut: (text) => void world.stdout.write(text),
      writeErr: (text) => void world.stderr.write(text),
      // Said in the caller's language where the error is caught.
      outputError: () => undefined,
    })
    .exitOverride();
  for (const command of commands) addCommand(parentOf(root, command, say), command, world, say, run);
  return root;
}

// The node under which a command stands; its groups are made when the first command in them is.
function parentOf(root: Node, { path }: Command, say: Say): Node {
  return path.slice(0, -1).reduce((parent, word, index) => {
    const made = parent.commands.find((node) => node.name() === word);
    if (made !== undefined) return made;
    const summary = groups[path.slice(0, index + 1).join(" ")];
    return parent
      .command(word)
      .description(summary === undefined ? "" : say(summary))
      .helpCommand(false);
  }, root);
}

function addCommand(parent: Node, command: Command, world: World, say: Say, run: Run): void {
  const node = parent.command(command.path.at(-1) ?? "").description(say(command.summary));
  if (command.argument !== undefined) node.argument(command.argument.notation, say(command.argument.help));
  for (const { flags, help } of command.options ?? []) node.option(flags, say(help));
  node.addHelpText("after", `\n${say("help.example")}\n  ${command.example}`);
  node.action(async () => {
    const options = node.optsWithGlobals<Given["options"]>();
    const context: Context = {
      world,
      say,
      language: languageOf(world.environment),
      json: options["json"] === true,
      configFile: typeof options["config"] === "string" ? options["config"] : undefined,
    };
    const handler = await command.load();
    run.code = await handler(context, { words: node.args, options });
  });
}

const TITLES: Readonly<Record<string, MessageKey>> = {
  "Usage:": "help.usage",
  "Arguments:": "help.arguments",
  "Options:": "help.options",
  "Global Options:": "help.global-options",
  "Commands:": "help.commands",
};

function translateTitle(title: string, say: Say): string {
  const key = TITLES[title];
  return key === undefined ? title : say(key);
}

const USAGE: Readonly<Record<string, MessageKey>> = {
  "commander.unknownCommand": "usage.unknown-command",
  "commander.unknownOption": "usage.unknown-option",
  "commander.missingArgument": "usage.missing-argument",
  "commander.excessArguments": "usage.excess-arguments",
  "commander.optionMissingArgument": "usage.option-needs-value",
};

/** What commander found wrong, in the caller's language. */
export function describeUsage(error: CommanderError | UsageError, say: Say): string {
  if (error instanceof UsageError) return error.message;
  const key = USAGE[error.code];
  if (key === undefined) return say("usage.other", { text: error.message.replace(/^error: /, "") });
  const name = /'([^']*)'/.exec(error.message)?.[1] ?? "";
  // Whoever tries to write a password on the line is told where it goes instead.
  const meant = name.startsWith("--password") ? "--password-stdin" : suggestionOf(error);
  const text = say(key, { name });
  return meant === undefined ? text : say("usage.did-you-mean", { text, name: meant });
}

function suggestionOf({ message }: CommanderError): string | undefined {
  return /\(Did you mean (?:one of )?(.*?)\?\)/.exec(message)?.[1];
}
