import { err, ok, type Result } from "../lib/result.ts";
import type { Address } from "../model/address.ts";
import type { Device } from "../model/device.ts";
import type { AccountId, MailboxId } from "../model/ids.ts";
import type { LanguageTag } from "../model/language.ts";
import { type Client, placeOf } from "../model/peer.ts";
import type { AppPasswordUse } from "../store/ports.ts";
import { deviceOf } from "./device.ts";
import type { Credentials } from "./engine/credentials.ts";
import { createJudge, type JudgeOptions } from "./judge.ts";
import type { Right } from "./judgement.ts";
import { createLoginReport, type LoginDoor } from "./login-report.ts";
import { printableName } from "./name.ts";
import { createPause, type Pause, pauseAfter } from "./refusal-pause.ts";

/** Who logged in, which of the account's maildrops the name meant (INTERFACE "Names of people"), and what holds for them. */
export type Identity = {
  readonly account: AccountId;
  readonly address: Address;
  readonly mailbox: MailboxId;
  readonly device: Device;
  readonly language: LanguageTag | undefined;
  readonly expireDays: number;
  readonly loginDelaySeconds: number;
  readonly serverSignature?: Uint8Array;
};

/** "refused" is P10's one word; "throttled" was not judged; "unavailable" is an outage, never a wrong password. */
export type LoginRefusal = "refused" | "throttled" | "unavailable";

export type Login = (
  credentials: Credentials,
  client: Client,
  door: LoginDoor,
) => Promise<Result<Identity, LoginRefusal>>;

export type LoginOptions = JudgeOptions & {
  /** What holds for an account that has no figures of its own; asked at each login, so that a reload takes hold. */
  readonly defaults: () => { readonly expireDays: number; readonly loginDelaySeconds: number };
  readonly uses: { note(use: AppPasswordUse): void };
  /** Ends the waits of refused logins. */
  readonly stopping: AbortSignal;
  /** How refused logins wait; a test brings its own time. */
  readonly pause?: Pause;
};

/** Refused logins held at a time; past it only passwords that were right before are judged, so that P10 still holds. */
const MOST_HELD = 20_000;

/** Makes the one function that decides a login, whatever the protocol and the mechanism. */
export function createLogin(options: LoginOptions): Login {
  const { directory, clock } = options;
  const report = createLoginReport(options.log, options.metrics);
  const pause = options.pause ?? createPause(options.stopping);
  let held = 0;
  const judge = createJudge(options, () => held < MOST_HELD);

  async function hold(started: number): Promise<void> {
    held += 1;
    await pause(pauseAfter(clock.monotonic() - started));
    held -= 1;
  }

  return async (credentials, client, door) => {
    const started = clock.monotonic();
    const visitor = { ...door, tls: client.tls, mechanism: credentials.mechanism, peer: client.peer.address };
    try {
      const judged = await judge(credentials, client, door);
      if (judged.is === "right") {
        const identity = identify(judged, client, options);
        report.ok(visitor, judged.named, identity.device, (clock.monotonic() - started) / 1000);
        return ok(identity);
      }
      if (judged.is === "unavailable") {
        report.unavailable(visitor, judged.reason);
        return err("unavailable");
      }
      report.refused(visitor, await printableName(judged.name, judged.named, directory), judged.reason);
      await hold(started);
      return err(judged.reason === "throttled" ? "throttled" : "refused");
    } catch (error) {
      // Whatever failed, it was not the password: an outage for the operator to mend (rule 3206-01).
      report.unavailable(visitor, error instanceof Error ? error.message : "unknown");
      return err("unavailable");
    }
  };
}

function identify({ named, appPassword, serverSignature }: Right, client: Client, options: LoginOptions): Identity {
  const { account, mailbox } = named;
  const { defaults, uses, clock } = options;
  if (appPassword) uses.note({ id: appPassword.id, at: clock.now(), peer: client.peer.address });
  return {
    account: account.id,
    address: account.address,
    mailbox,
    device: deviceOf(account.id, appPassword, placeOf(client.peer)),
    language: account.language ?? undefined,
    expireDays: account.expireDays ?? defaults().expireDays,
    loginDelaySeconds: account.loginDelaySeconds ?? defaults().loginDelaySeconds,
    ...(serverSignature && { serverSignature }),
  };
}
