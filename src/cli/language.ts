import type { Language } from "../config/language.ts";
import { en } from "./messages/en.ts";
import { zhCn } from "./messages/zh-cn.ts";

/** The name of a text in the catalogue. */
export type MessageKey = keyof typeof en;
/** Gives a text of the catalogue in the language of whoever typed the command. */
export type Say = (key: MessageKey, values?: Readonly<Record<string, string | number>>) => string;

/** The catalogue of a language. */
export function speak(language: Language): Say {
  const catalogue: Readonly<Record<MessageKey, string>> = language === "zh" ? zhCn : en;
  return (key, values = {}) =>
    catalogue[key].replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}
