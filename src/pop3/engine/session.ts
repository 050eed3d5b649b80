import type { Channel } from "../../auth/engine/channel.ts";
import type { Exchange } from "../../auth/engine/mechanism.ts";
import type { LanguageTag } from "../../model/language.ts";
import type { Announced } from "./announced.ts";
import { languageOf, type Language } from "./languages.ts";
import type { Maildrop } from "./maildrop.ts";
import type { Texts } from "./texts/en.ts";

/** What this listener is. */
export type Policy = {
  readonly hostname: string;
  readonly implementation: string;
  readonly stlsPossible: boolean;
};

/** What the engine knows of who has logged in. */
export type Person = {
  /** The account's own language; undefined: none was chosen. */
  readonly language: LanguageTag | undefined;
  /** After so many days mail is removed; 0: never. */
  readonly expireDays: number;
  /** Between two logins; 0: none. */
  readonly loginDelaySeconds: number;
  /** Whether the device may read and never remove. */
  readonly noDelete: boolean;
  /** Of SCRAM. */
  readonly serverSignature: Uint8Array | undefined;
};

/** RFC 1939 §4. */
export type Authorization = {
  readonly phase: "authorization";
  /** From a USER that PASS may follow. */
  user: string | undefined;
  /** While a SASL exchange is under way, the next line is its response. */
  exchange: Exchange | undefined;
  /** An exchange that was judged and told so: the next line ends it (rule SASL-04). */
  conclusion: Conclusion | undefined;
  badCommands: number;
};

/** Who logs in once the client has heard the verdict; undefined: nobody, the credentials were wrong. */
export type Conclusion = { readonly person: Person | undefined };

/** RFC 1939 §5. */
export type Transaction = { readonly phase: "transaction"; readonly drop: Maildrop; readonly person: Person };

/** After QUIT or a close: whatever comes is not looked at (rule 2449-05). */
type Over = { readonly phase: "over" };

/** What the driver was asked for and has not answered yet. */
export type Awaited =
  | { readonly kind: "listed" | "updated" | "upgrade" | "secured" }
  /** The exchange that led to the credentials; undefined: PASS did. */
  | { readonly kind: "login"; readonly exchange: Exchange | undefined }
  | { readonly kind: "answered"; readonly exchange: Exchange }
  | { readonly kind: "opened"; readonly person: Person }
  /** The command that needs the listing, to be carried out when it is there. */
  | { readonly kind: "loaded"; readonly line: string }
  | { readonly kind: "sent"; readonly index: number; readonly whole: boolean };

/** One session; the engine changes it in place. */
export type Session = {
  readonly policy: Policy;
  /** The driver's to renew before each line of AUTHORIZATION. */
  announced: Announced;
  channel: Channel;
  state: Authorization | Transaction | Over;
  awaited: Awaited | undefined;
  /** Whether UTF8 was said (RFC 6856 §2). */
  utf8: boolean;
  /** What LANG asked for. */
  language: Language | undefined;
  /** Of all replies; without LANG in English, since the client may be one that takes nothing but ASCII (RFC 1939 §3). */
  texts: Texts;
  /** Of errors that a client shows to its owner: after the login in the account's own language, also before LANG. */
  personal: Texts;
};

/** A new session. */
export function newSession(policy: Policy, channel: Channel, announced: Announced): Session {
  const { texts } = languageOf(undefined);
  const state = newAuthorization();
  const unasked = { awaited: undefined, utf8: false, language: undefined };
  return { policy, announced, channel, state, ...unasked, texts, personal: texts };
}

/** AUTHORIZATION with nothing known. */
export function newAuthorization(): Authorization {
  return { phase: "authorization", user: undefined, exchange: undefined, conclusion: undefined, badCommands: 0 };
}

/** Goes on over TLS: nothing that was said in clear text is known any more, not even UTF8 or LANG (rule TLS-02). */
export function startAfresh(session: Session, channel: Channel): void {
  Object.assign(session, newSession(session.policy, channel, session.announced));
}

/** Chooses the texts: LANG's language, else that of the account that has logged in. */
export function chooseTexts(session: Session, own: LanguageTag | undefined): void {
  const { language } = session;
  session.texts = (language ?? languageOf(undefined)).texts;
  session.personal = (language ?? languageOf(own)).texts;
}

/** Whether a password may be sent on this connection now (rule TLS-04). */
export function maySendPassword({ channel, announced }: Session): boolean {
  return channel.secure || announced.mechanisms.allowCleartext;
}
