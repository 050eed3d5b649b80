import path from "node:path";
import { LineSplitter, OVERLONG } from "../lib/lines.ts";
import type { Progress } from "./operation.ts";
import type { Refusal } from "./refusal.ts";

/*
 * One connection is one call. The client sends a request, its parts when it said that there are some, and "end"; the
 * server sends progress, then one answer, and closes. Every message is a line of JSON.
 */

/** The longest line that the server takes. */
export const REQUEST_OCTETS = 1024 * 1024;
/** The longest that a client takes: an import may have a complaint about every one of its lines. */
export const REPLY_OCTETS = 64 * 1024 * 1024;
/** All parts of a request together. */
export const PARTS_OCTETS = 64 * 1024 * 1024;

/** What a client says. */
export type Request = {
  readonly call: string;
  readonly input: unknown;
  /** The list of the input that follows in parts. */
  readonly parts?: string;
};
export type Part = { readonly part: readonly unknown[] };
export type End = { readonly end: true };

/** What the server says. */
export type Reply =
  | { readonly progress: Progress }
  /** Said every second while an operation runs, so that a server that hangs can be told from one that works. */
  | { readonly working: true }
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly error: Refusal };

/** The socket of a data folder. */
export function controlSocket(folder: string): string {
  return path.join(folder, "control.sock");
}

/** One message as it is sent. */
export function encode(message: Request | Part | End | Reply): string {
  return `${JSON.stringify(message)}\n`;
}

/** Takes messages out of octets that come in pieces. */
export class MessageReader {
  readonly #lines: LineSplitter;

  constructor(maximum: number) {
    this.#lines = new LineSplitter({ maximum, bareLf: true });
  }

  push(octets: Buffer): void {
    this.#lines.push(octets);
  }

  /** The next message; "malformed": what came is none and nothing after it can be trusted; undefined: more is needed. */
  next(): object | "malformed" | undefined {
    const line = this.#lines.next();
    if (line === undefined) return undefined;
    if (line === OVERLONG) return "malformed";
    try {
      const message: unknown = JSON.parse(Buffer.from(line, "latin1").toString("utf8"));
      return typeof message === "object" && message !== null ? message : "malformed";
    } catch {
      return "malformed";
    }
  }
}
