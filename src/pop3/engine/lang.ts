import { bad } from "./authorization.ts";
import type { Effects } from "./effects.ts";
import { languageOf, languages, matchLanguage } from "./languages.ts";
import { chooseTexts, type Session } from "./session.ts";

/** LANG (RFC 6856 §3): lists the languages, or goes over to one; what is not understood changes nothing (rule 6856-03). */
export function lang(session: Session, [range]: readonly string[], effects: Effects): void {
  if (range === undefined) return list(session, effects);
  const language = range === "*" ? languageOf(ownLanguage(session)) : matchLanguage(range);
  if (language === undefined) return refuse(session, effects);
  session.language = language;
  chooseTexts(session, undefined);
  effects.ok(`${language.tag} ${session.texts.language}`);
}

function list(session: Session, effects: Effects): void {
  effects.ok(session.texts.languages);
  for (const { tag, name } of languages) effects.text += `${tag} ${name}\r\n`;
  effects.text += ".\r\n";
}

// Before the login nobody's wish is known, so `*` shows of nobody that he has an account here (RFC 6856 §7).
function ownLanguage({ state }: Session) {
  return state.phase === "transaction" ? state.person.language : undefined;
}

function refuse(session: Session, effects: Effects): void {
  const { state, texts } = session;
  if (state.phase === "authorization") bad(session, state, effects, texts.noSuchLanguage);
  else effects.error(texts.noSuchLanguage);
}
