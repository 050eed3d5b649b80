import type { MechanismPolicy } from "../auth/engine/channel.ts";
import { bearerHint } from "../auth/oauth/provider.ts";
import type { Config } from "../config/schema.ts";
import type { Announced } from "../pop3/ports.ts";
import type { Directory, DirectorySummary } from "../store/ports.ts";

const REFRESH_MS = 500;

/** What is said before anybody has logged in, which is of all accounts together; one for each protocol thread. */
export class Announcements implements Disposable {
  readonly #directory: Pick<Directory, "summary">;
  readonly #config: () => Config;
  readonly #timer: NodeJS.Timeout;
  #summary: DirectorySummary;
  #asking = false;
  // Made again when either changes, not for each session.
  #made: { readonly of: Config; readonly summary: DirectorySummary; readonly announced: Announced } | undefined;

  private constructor(directory: Pick<Directory, "summary">, config: () => Config, summary: DirectorySummary) {
    this.#directory = directory;
    this.#config = config;
    this.#summary = summary;
    this.#timer = setInterval(() => void this.#refresh(), REFRESH_MS).unref();
  }

  /** Asks once, so that the first client hears the truth. */
  static async open(directory: Pick<Directory, "summary">, config: () => Config): Promise<Announcements> {
    return new Announcements(directory, config, await directory.summary());
  }

  /** As of half a second ago at most. */
  get now(): Announced {
    const config = this.#config();
    if (this.#made?.of !== config || this.#made.summary !== this.#summary)
      this.#made = { of: config, summary: this.#summary, announced: announcedOf(config, this.#summary) };
    return this.#made.announced;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  async #refresh(): Promise<void> {
    if (this.#asking) return;
    this.#asking = true;
    try {
      const summary = await this.#directory.summary();
      if (!same(summary, this.#summary)) this.#summary = summary;
    } catch {
      // The store does not answer: logins say so themselves, and until then what was true stays announced.
    } finally {
      this.#asking = false;
    }
  }
}

function same(one: DirectorySummary, other: DirectorySummary): boolean {
  return (
    one.everyoneHasScram === other.everyoneHasScram &&
    one.shortestExpireDays === other.shortestExpireDays &&
    one.longestLoginDelaySeconds === other.longestLoginDelaySeconds
  );
}

/** What a configuration and a summary of the accounts come to. */
export function announcedOf(config: Config, summary: DirectorySummary): Announced {
  const { shortestExpireDays: own, longestLoginDelaySeconds: delay } = summary;
  // 0 is never: any number of days is shorter.
  const days = [config.retention.expireDays, own ?? 0].filter((some) => some > 0);
  return {
    mechanisms: policyOf(config, summary.everyoneHasScram),
    expire: { days: days.length === 0 ? 0 : Math.min(...days), perUser: own !== null },
    loginDelay: { seconds: Math.max(config.limits.pop3LoginDelaySeconds, delay ?? 0), perUser: delay !== null },
  };
}

function policyOf({ auth }: Config, everyoneHasScram: boolean): MechanismPolicy {
  // Whoever picks SCRAM and has no keys would only ever hear that the password is wrong.
  const scram = auth.scram === "on" || (auth.scram === "auto" && everyoneHasScram);
  const hint = bearerHint(auth.oauth);
  return {
    allowCleartext: auth.allowCleartext,
    scram,
    scramSha1: scram && auth.scramSha1,
    bindingUnannounced: !auth.announceChannelBinding,
    oauth: auth.oauth.length > 0,
    clientCertificates: auth.clientCertificates !== undefined,
    ...(hint !== undefined && { bearerHint: hint }),
  };
}
