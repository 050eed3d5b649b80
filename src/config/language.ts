/** A language of what people read. */
export type Language = "en" | "zh";

/** The language that the environment asks for: Chinese where it says so, else English (POSIX: the first that is set). */
export function languageOf(environment: Readonly<Record<string, string | undefined>>): Language {
  const chosen = environment["LC_ALL"] || environment["LC_MESSAGES"] || environment["LANG"] || "";
  return /^zh(?:[_.@-]|$)/i.test(chosen) ? "zh" : "en";
}
