import type { LanguageTag } from "../../model/language.ts";
import { en, type Texts } from "./texts/en.ts";
import { zhCn } from "./texts/zh-cn.ts";

/** A language of the replies. Its texts are UTF-8 as a line carries it: one character an octet (latin1). */
export type Language = {
  readonly tag: LanguageTag;
  /** What those who speak it call it. */
  readonly name: string;
  readonly texts: Texts;
};

type Row = { readonly name: string; readonly texts: Texts; readonly ranges: readonly string[] };

/** One row a language; `ranges`: what else a client may ask for and mean just this, in lower case. */
const rows: Readonly<Record<LanguageTag, Row>> = {
  en: { name: "English", texts: en, ranges: [] },
  "zh-CN": { name: "简体中文", texts: zhCn, ranges: ["zh-hans"] },
};

const tags = Object.keys(rows) as readonly LanguageTag[];

/** The languages in the order in which LANG lists them. */
export const languages: readonly Language[] = tags.map((tag) => {
  const { name, texts } = rows[tag];
  const onWire = Object.entries(texts).map(([key, text]) => [key, encode(text)]);
  return { tag, name: encode(name), texts: Object.fromEntries(onWire) as Texts };
});

// The first one is what is spoken where nothing else was asked for; the greeting comes before any wish.
const [english] = languages as readonly [Language, ...Language[]];

/** The language of an account, or of a server whose administrator prefers none. */
export function languageOf(tag: LanguageTag | undefined): Language {
  return languages.find((language) => language.tag === tag) ?? english;
}

// RFC 4647 §2.1, a basic language range; `*` alone is the caller's.
const RANGE = /^[a-z]{1,8}(?:-[a-z0-9]{1,8})*$/;

/**
 * The language that a basic language range asks for (RFC 6856 §3.2): the first that the range filters (RFC 4647 §3.3.1: `zh`
 * is zh-CN), else the one found by lookup (§3.4: `en-GB` is content with en; `zh-TW` is not with zh-CN).
 */
export function matchLanguage(given: string): Language | undefined {
  const range = given.toLowerCase();
  if (!RANGE.test(range)) return undefined;
  const filtered = languages.find(({ tag }) => `${tag.toLowerCase()}-`.startsWith(`${range}-`));
  return filtered ?? lookUp(range);
}

function lookUp(range: string): Language | undefined {
  for (let rest = range; rest !== ""; rest = shorten(rest)) {
    const found = languages.find(({ tag }) => tag.toLowerCase() === rest || rows[tag].ranges.includes(rest));
    if (found !== undefined) return found;
  }
  return undefined;
}

// A single letter or digit introduces what stands behind it, and means nothing without it (RFC 4647 §3.4).
function shorten(range: string): string {
  return range.slice(0, Math.max(0, range.lastIndexOf("-"))).replace(/-[a-z0-9]$/, "");
}

function encode(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}
