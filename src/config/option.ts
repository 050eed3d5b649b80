import * as z from "zod";
import { assert } from "../lib/assert.ts";
import { parseAddress, parseDomain } from "../model/address.ts";
import { formatListenAddress, parseListenAddress, type ListenAddress } from "./listen-address.ts";
import { formatOctetsExactly, OCTETS, parseOctets } from "./octets.ts";

/** A text for people, in each language we speak. */
export type Words = { readonly en: string; readonly zh: string };

/** What is known of an option besides its type: its help, its documentation and the reload are made from this. */
export type OptionMeta = {
  readonly help: Words;
  /** "live": SIGHUP applies a change; "restart": SIGHUP refuses it and names the key. */
  readonly reload: "live" | "restart";
  /** What a right value looks like, for messages and the reference. */
  readonly expects: Words;
  /** What holds when the option is absent and that is no fixed value. */
  readonly absent?: Words;
  /** Taken from the environment as it stands, not as YAML. */
  readonly verbatim: boolean;
  /** A file or folder; a relative one counts from the folder of the configuration file. */
  readonly path: boolean;
  /** A number of octets, written with its unit. */
  readonly octets: boolean;
  /** Never shown, wherever values are. */
  readonly secret: boolean;
  /** A list of maps, or a map that may be left out, whose keys are options of their own (group.ts). */
  readonly group?: "list" | "map";
  /** Its value for people, where that is not the text itself. */
  readonly show?: (value: unknown) => string;
  /** A value as it stands in a file, for the example file and the reference. */
  readonly example?: string;
};

/** The meta data of every option, by its zod type. */
export const optionMeta = z.registry<OptionMeta>();

/** What every option is given. */
export type Given = Pick<OptionMeta, "help" | "reload"> & Partial<Pick<OptionMeta, "absent" | "example">>;
type Range = { readonly min: number; readonly max: number };

/** Registers a type as an option. */
export function option<T extends z.ZodType>(type: T, given: Given, expects: Words, more?: Partial<OptionMeta>): T {
  assert(!optionMeta.has(type), "every option has a type of its own");
  optionMeta.add(type, {
    help: given.help,
    reload: given.reload,
    expects,
    verbatim: more?.verbatim ?? false,
    path: more?.path ?? false,
    octets: more?.octets ?? false,
    secret: more?.secret ?? false,
    ...(more?.group === undefined ? {} : { group: more.group }),
    ...(more?.show === undefined ? {} : { show: more.show }),
    ...(given.absent === undefined ? {} : { absent: given.absent }),
    ...(given.example === undefined ? {} : { example: given.example }),
  });
  return type;
}

/** A size in octets: `64 KiB` or a plain number. */
export function octets(given: Given & Range & { readonly default: string }) {
  const type = z
    .union([z.int().nonnegative(), z.string().regex(OCTETS)])
    .transform((value) => (typeof value === "number" ? value : (parseOctets(value) ?? Number.NaN)))
    .refine((value) => value >= given.min && value <= given.max)
    .prefault(given.default);
  const [from, to] = [formatOctetsExactly(given.min), formatOctetsExactly(given.max)];
  const expects = {
    en: `a size such as 64 KiB, from ${from} to ${to}`,
    zh: `大小，例如 64 KiB，范围 ${from} 至 ${to}`,
  };
  return option(type, given, expects, { octets: true });
}

/** A whole number; the key names its unit. */
export function count(given: Given & Range & { readonly default: number }) {
  const type = z.int().min(given.min).max(given.max).prefault(given.default);
  return option(type, given, {
    en: `a whole number from ${given.min} to ${given.max}`,
    zh: `整数，范围 ${given.min} 至 ${given.max}`,
  });
}

/** One of a few words. */
export function choice<const V extends readonly [string, ...string[]]>(
  given: Given & { readonly values: V; readonly default: V[number] },
) {
  return option(z.enum(given.values).prefault(given.default), given, choiceWords(given.values), { verbatim: true });
}

/** One of a few words that must be there. */
export function requiredChoice<const V extends readonly [string, ...string[]]>(given: Given & { readonly values: V }) {
  return option(z.enum(given.values), given, choiceWords(given.values), { verbatim: true });
}

/** One of a few words, or nothing: what holds then is decided beside it. */
export function optionalChoice<const V extends readonly [string, ...string[]]>(given: Given & { readonly values: V }) {
  return option(z.enum(given.values).optional(), given, choiceWords(given.values), { verbatim: true });
}

function choiceWords(values: readonly string[]): Words {
  return { en: `one of ${values.join(", ")}`, zh: `以下之一：${values.join("、")}` };
}

/** `true` or `false`. */
export function flag(given: Given & { readonly default: boolean }) {
  return option(z.boolean().prefault(given.default), given, { en: "true or false", zh: "true 或 false" });
}

/** A version such as "1.2", which YAML takes for a number where it is not quoted. */
export function version<const V extends readonly [string, ...string[]]>(
  given: Given & { readonly values: V; readonly default: V[number] },
) {
  const numbers = z.literal(given.values.map(Number)).transform((value) => value.toFixed(1));
  const type = z
    .union([z.enum(given.values), numbers])
    .pipe(z.enum(given.values))
    .prefault(given.default);
  return option(type, given, choiceWords(given.values), { verbatim: true });
}

/** A host name, kept as A-labels. */
export function hostName(given: Given & { readonly default: string }) {
  const type = z.string().transform(parsed(parseDomain)).prefault(given.default);
  const expects = { en: "a host name such as mail.example.com", zh: "主机名，例如 mail.example.com" };
  return option(type, given, expects, { verbatim: true });
}

/** A domain, or nothing. */
export function optionalDomain(given: Given) {
  const type = z.string().transform(parsed(parseDomain)).optional();
  const expects = { en: "a domain such as example.com", zh: "域名，例如 example.com" };
  return option(type, given, expects, { verbatim: true });
}

/** A mail address, or nothing. */
export function optionalAddress(given: Given) {
  const type = z.string().transform(parsed(parseAddress)).optional();
  const expects = { en: "an address such as admin@example.com", zh: "邮箱地址，例如 admin@example.com" };
  return option(type, given, expects, { verbatim: true });
}

const PATH = z.string().regex(/^[^\0]+$/);

/** A file that must be named. */
export function requiredFile(given: Given) {
  return option(PATH.min(1), given, { en: "a file", zh: "文件" }, { verbatim: true, path: true });
}

/** A folder. */
export function folder(given: Given & { readonly default: string }) {
  return option(PATH.prefault(given.default), given, { en: "a folder", zh: "文件夹" }, { verbatim: true, path: true });
}

/** A file, or nothing. */
export function optionalFile(given: Given) {
  return option(PATH.optional(), given, { en: "a file", zh: "文件" }, { verbatim: true, path: true });
}

/** One listen address or a list of them. */
export function listenAddresses(given: Given) {
  const one = z.string().transform((text, context): ListenAddress => {
    const address = parseListenAddress(text);
    if (address !== undefined) return address;
    context.addIssue({ code: "custom", message: "bad address" });
    return z.NEVER;
  });
  const expects = {
    en: 'an address such as 0.0.0.0:110, "[::]:110" or unix:/run/mailkeep/lmtp.sock',
    zh: '监听地址，例如 0.0.0.0:110、"[::]:110" 或 unix:/run/mailkeep/lmtp.sock',
  };
  // The inner type is registered as well, so that a wrong member of a list is named by its own position.
  const member = option(one, given, expects);
  const type = z.union([member.transform((address) => [address]), z.array(member).min(1).max(64)]);
  const show = (value: unknown): string => (value as ListenAddress[]).map(formatListenAddress).join(", ");
  return option(type, given, expects, { show });
}

function parsed<T>(parse: (text: string) => { readonly ok: true; readonly value: T } | { readonly ok: false }) {
  return (text: string, context: z.RefinementCtx): T => {
    const result = parse(text);
    if (result.ok) return result.value;
    context.addIssue({ code: "custom", message: "bad value" });
    return z.NEVER;
  };
}
