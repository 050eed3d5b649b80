import { createHash } from "node:crypto";
import { LRUCache } from "lru-cache";
import type { Clock } from "../../lib/clock.ts";
import { createLimiter } from "../../lib/limiter.ts";
import { err, ok, type Result } from "../../lib/result.ts";
import type { FetchJson, JsonObject } from "./fetch-json.ts";
import type { ProviderConfig } from "./provider.ts";

/** Asks a provider about one token (RFC 7662). */
export type Introspection = (token: string) => Promise<Result<JsonObject, "unavailable">>;

export type IntrospectionOptions = {
  readonly fetchJson: FetchJson;
  readonly clock: Clock;
  readonly failed: (url: string, reason: string) => void;
};

const ENTRIES = 4096;
/** So long a token that was withdrawn may still open a mailbox. */
const REMEMBER_MS = 30_000;
const AT_A_TIME = 8;
const WAITING = 512;
const WAIT_MS = 5000;

/** Makes the one who asks; answers are remembered for half a minute, and who asks the same shares one answer. */
export function createIntrospection(
  { url, clientId, clientSecret }: NonNullable<ProviderConfig["introspection"]>,
  { fetchJson, clock, failed }: IntrospectionOptions,
): Introspection {
  const answers = new LRUCache<string, JsonObject>({
    max: ENTRIES,
    ttl: REMEMBER_MS,
    ttlResolution: 0,
    perf: { now: clock.monotonic },
  });
  const asked = new Map<string, Promise<Result<JsonObject, "unavailable">>>();
  const limiter = createLimiter({ concurrency: AT_A_TIME, queue: WAITING, waitMs: WAIT_MS });

  async function ask(token: string, key: string): Promise<Result<JsonObject, "unavailable">> {
    const fields = { token, token_type_hint: "access_token" };
    const answer = await limiter.run("", () => fetchJson(url, { fields, clientId, clientSecret }));
    if (answer.ok && answer.value.ok) {
      answers.set(key, answer.value.value);
      return ok(answer.value.value);
    }
    failed(url, answer.ok && !answer.value.ok ? answer.value.error : "too many tokens wait to be asked about");
    return err("unavailable");
  }

  return async (token) => {
    // The token itself is kept nowhere.
    const key = createHash("sha256").update(token).digest("base64");
    const known = answers.get(key);
    if (known) return ok(known);
    const before = asked.get(key);
    if (before) return before;
    const question = ask(token, key);
    asked.set(key, question);
    try {
      return await question;
    } finally {
      asked.delete(key);
    }
  };
}
