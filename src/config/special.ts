import * as z from "zod";
import type { Brand } from "../lib/brand.ts";
import { formatCidr, parseCidr, type Cidr, type CidrProblem } from "../model/cidr.ts";
import { option, type Given, type Words } from "./option.ts";

/*
 * Options whose text means more than a text: networks, header fields, URLs and secrets.
 */

/**
 * A secret as the configuration holds it. It is a plain text there, because a configuration is sent to threads, which an
 * object that hides its text does not survive; who uses it wraps it in a Secret.
 */
export type SecretText = Brand<string, "SecretText">;

/** A header field by which a filter marks a message; names and values are compared without regard to case. */
export type HeaderMark = { readonly name: string; readonly value: string };

const SECRET_OCTETS = 4096;

/** A secret that must be there: the text, or where it is kept. Loading has put the text in its place (secrets.ts). */
export function requiredSecret(given: Given) {
  const text = z.string().min(1).max(SECRET_OCTETS);
  const type = z
    .union([text, z.strictObject({ file: z.string().min(1) }), z.strictObject({ env: z.string().min(1) })])
    .transform((value, context): SecretText => {
      if (typeof value === "string") return value as SecretText;
      context.addIssue({ code: "custom", message: "not in its place" });
      return z.NEVER;
    });
  const expects: Words = {
    en: "a text, { file: /path/to/it } or { env: NAME_OF_A_VARIABLE }",
    zh: "文本、{ file: 文件路径 } 或 { env: 环境变量名 }",
  };
  return option(type, given, expects, { secret: true, verbatim: true, show: () => "[secret]" });
}

/** A list of networks, or one; none where it is left out. */
export function networks(given: Given) {
  const one = z.string().transform((text, context): Cidr => {
    const parsed = parseCidr(text);
    if (parsed.ok) return parsed.value;
    const words = wordsOfNetwork[parsed.error];
    context.addIssue({ code: "custom", message: "bad network", ...(words === undefined ? {} : { params: { words } }) });
    return z.NEVER;
  });
  const expects: Words = {
    en: "a network such as 10.0.0.0/8 or 2001:db8::/32",
    zh: "网段，例如 10.0.0.0/8 或 2001:db8::/32",
  };
  const member = option(one, given, expects);
  const type = z.union([member.transform((network) => [network]), z.array(member).max(256)]).prefault([]);
  return option(type, given, expects, { show: (value) => (value as readonly Cidr[]).map(formatCidr).join(", ") });
}

const wordsOfNetwork: Readonly<Record<CidrProblem, Words | undefined>> = {
  "bad-address": undefined,
  "bad-bits": undefined,
  "host-bits": {
    en: "this address has bits behind its prefix; write the network's first address, or the address alone",
    zh: "此地址在前缀之后仍有非零位，请写网段的首地址，或只写该地址",
  },
};

// RFC 5322 §2.2: printable ASCII but the colon; the value is one line.
const FIELD = /^([!-9;-~]{1,76}):[ \t]*(\S(?:[^\p{Cc}]*\S)?)[ \t]*$/u;

/** A header field with its value, or nothing. */
export function optionalHeader(given: Given) {
  const type = z
    .string()
    .max(998)
    .regex(FIELD)
    .transform((text): HeaderMark => {
      const [, name = "", value = ""] = FIELD.exec(text) ?? [];
      return { name, value };
    })
    .optional();
  const expects: Words = {
    en: 'a header field such as "X-Spam-Flag: YES", in quotes',
    zh: '邮件头字段，例如 "X-Spam-Flag: YES"，须加引号',
  };
  const show = (value: unknown): string => `${(value as HeaderMark).name}: ${(value as HeaderMark).value}`;
  return option(type, given, expects, { verbatim: true, show });
}

const URL_WORDS: Words = {
  en: "a URL that begins with https:// (http:// only to this machine)",
  zh: "以 https:// 开头的 URL（仅本机可用 http://）",
};

const url = () => z.string().max(2048).refine(isProtectedUrl);

/** A URL that nobody on the way can read or change what goes to. */
export function requiredUrl(given: Given) {
  return option(url(), given, URL_WORDS, { verbatim: true });
}

/** The same, or nothing. */
export function optionalUrl(given: Given) {
  return option(url().optional(), given, URL_WORDS, { verbatim: true });
}

function isProtectedUrl(text: string): boolean {
  const parsed = URL.parse(text);
  if (parsed === null || parsed.username !== "" || parsed.password !== "" || parsed.hash !== "") return false;
  if (parsed.protocol === "https:") return true;
  return parsed.protocol === "http:" && /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/.test(parsed.hostname);
}

/** A short text on one line that must be there. */
export function requiredText(given: Given & { readonly expects: Words }) {
  return option(short(), given, given.expects, { verbatim: true });
}

/** A short text on one line, or nothing. */
export function optionalText(given: Given & { readonly expects: Words }) {
  return option(short().optional(), given, given.expects, { verbatim: true });
}

/** A short text on one line with a default. */
export function shortText(given: Given & { readonly expects: Words; readonly default: string }) {
  return option(short().prefault(given.default), given, given.expects, { verbatim: true });
}

const short = () => z.string().regex(/^[^\p{Cc}]{1,255}$/u);
