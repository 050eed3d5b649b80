/** The languages of what a mailbox's owner reads, by their tags (RFC 5646). */
export const LANGUAGES = ["en", "zh-CN"] as const;

export type LanguageTag = (typeof LANGUAGES)[number];

/** The language of a tag in any case; undefined: not one of ours. */
export function parseLanguageTag(text: string): LanguageTag | undefined {
  return LANGUAGES.find((tag) => tag.toLowerCase() === text.toLowerCase());
}
