import { err, ok, type Result } from "../../lib/result.ts";

/** A JSON object as it came; its members are anything. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Asks a provider; the error says why there is no answer, for the operator. */
export type FetchJson = (url: string, form?: FormRequest) => Promise<Result<JsonObject, string>>;

/** A form to be posted, with the name and password of who posts it (RFC 6749 §2.3.1). */
export type FormRequest = {
  readonly fields: Readonly<Record<string, string>>;
  readonly clientId: string;
  readonly clientSecret: string;
};

export type FetchOptions = {
  readonly stopping?: AbortSignal | undefined;
  /** How long an answer may take, its body included; given by tests only. */
  readonly deadlineMs?: number | undefined;
};

const DEADLINE_MS = 5000;
/** More than any provider's keys; Google's and Microsoft's take 20 KiB. */
const ANSWER_OCTETS = 256 * 1024;

/**
 * Makes the one way by which providers are asked: with TLS (or on loopback), in bounded time, an answer of bounded size, and
 * no redirect, by which a provider could send us anywhere.
 */
export function createFetchJson(options: FetchOptions = {}): FetchJson {
  const { stopping, deadlineMs = DEADLINE_MS } = options;
  return async (url, form) => {
    if (!isSafe(url)) return err("the address is not https");
    const late = AbortSignal.timeout(deadlineMs);
    const signal = stopping ? AbortSignal.any([late, stopping]) : late;
    try {
      const response = await fetch(url, { ...(form ? postOf(form) : {}), redirect: "error", signal });
      if (response.status !== 200) {
        await response.body?.cancel();
        return err(`status ${response.status}`);
      }
      const text = await readBounded(response);
      return text === undefined ? err("the answer is too long") : parseObject(text);
    } catch (cause) {
      if (late.aborted) return err(`no answer within ${deadlineMs / 1000} seconds`);
      return err(reasonOf(cause));
    }
  };
}

/** Whether an address may be asked: by https, or in clear text on loopback, where nobody listens. */
export function isSafe(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname } = new URL(text);
  if (protocol === "https:") return true;
  return protocol === "http:" && /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(hostname);
}

function postOf({ fields, clientId, clientSecret }: FormRequest): RequestInit {
  const basic = Buffer.from(`${formEncode(clientId)}:${formEncode(clientSecret)}`).toString("base64");
  return {
    method: "POST",
    body: new URLSearchParams(fields),
    headers: { authorization: `Basic ${basic}`, accept: "application/json" },
  };
}

function formEncode(text: string): string {
  return new URLSearchParams({ "": text }).toString().slice(1);
}

async function readBounded(response: Response): Promise<string | undefined> {
  const pieces: Uint8Array[] = [];
  let octets = 0;
  for await (const piece of response.body ?? []) {
    octets += piece.length;
    // Leaving the loop cancels the body.
    if (octets > ANSWER_OCTETS) return undefined;
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString("utf8");
}

function parseObject(text: string): Result<JsonObject, string> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return ok({ ...value });
  } catch {
    // It is told below, without its text.
  }
  return err("the answer is no JSON object");
}

/** fetch says "fetch failed", and why in the cause. */
function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return "unknown";
  return cause.cause instanceof Error ? reasonOf(cause.cause) : cause.message;
}
