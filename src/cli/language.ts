import type { Language } from "../config/problem.ts";
import { en } from "./messages/en.ts";
import { zhCn } from "./messages/zh-cn.ts";

/** The name of a text in the catalogue. */
export type MessageKey = keyof typeof en;
/** Gives a text of the catalogue in the language of whoever typed the command. */
export type Say = (key: MessageKey, values?: Readonly<Record<string, string | number>>) => string;

/** The language that the environment asks for: Chinese where it says so, else English (POSIX: the first that is set). */
export function languageOf(environment: Readonly<Record<string, string | undefined>>): Language {
  const chosen = environment["LC_ALL"] || environment["LC_MESSAGES"] || environment["LANG"] || "";
  return /^zh(?:[_.@-]|$)/i.test(chosen) ? "zh" : "en";
}

/** The catalogue of a language. */
export function speak(language: Language): Say {
  const catalogue: Readonly<Record<MessageKey, string>> = language === "zh" ? zhCn : en;
  return (key, values = {}) =>
    catalogue[key].replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}
