import type { Credentials } from "../../auth/engine/credentials.ts";
import type { ScramQuestion } from "../../auth/engine/mechanism.ts";
import type { Uid } from "../../model/ids.ts";
import type { CommandName } from "./commands.ts";
import type { ListingText } from "./listing-text.ts";
import type { ResponseCode } from "./response-codes.ts";

/** What a step asks its driver to do; the answer comes back as an input, and until then no line is to be fed. */
export type Action =
  /** Judge these credentials. */
  | { readonly kind: "login"; readonly credentials: Credentials }
  /** Ask the house what a SASL exchange has to know. */
  | { readonly kind: "ask"; readonly question: ScramQuestion }
  /** Open the maildrop of who has just logged in, as it is with or without UTF8. */
  | { readonly kind: "open"; readonly utf8: boolean }
  /** Read the listing of the open maildrop. */
  | { readonly kind: "load" }
  /** Send the rest of a listing, slice by slice as the client takes it. */
  | { readonly kind: "list"; readonly text: ListingText }
  /** Send a message: the head before its first octet; so many lines of its body, or all of it. */
  | { readonly kind: "send"; readonly uid: Uid; readonly head: string; readonly lines: number | undefined }
  /** UPDATE (RFC 1939 §6), once the kernel has taken every earlier answer: remove exactly these. */
  | { readonly kind: "update"; readonly uids: Uint32Array }
  /** Tell how many octets came behind STLS. */
  | { readonly kind: "upgrade" }
  /** Begin the handshake when the answer has left. */
  | { readonly kind: "handshake" }
  /** Close when the answer has left; `attack`: what the client did is no mistake. No input follows. */
  | { readonly kind: "close"; readonly attack?: string };

/** What one or several steps lead to: text to send, then at most one action. */
export class Effects {
  text = "";
  action: Action | undefined;
  /** The command that the last line was, for counting; undefined where it was none. */
  command: CommandName | "unknown" | undefined;

  /** `text` is of a catalogue, so it is short, holds no control character and does not begin with `[` (rule 2449-06). */
  ok(text: string): void {
    this.text += text === "" ? "+OK\r\n" : `+OK ${text}\r\n`;
  }

  error(text: string, code?: ResponseCode): void {
    this.text += code === undefined ? `-ERR ${text}\r\n` : `-ERR [${code}] ${text}\r\n`;
  }
}
