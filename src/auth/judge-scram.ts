import type { Clock } from "../lib/clock.ts";
import { err, ok, type Result } from "../lib/result.ts";
import type { AppPassword } from "../model/device.ts";
import type { Devices } from "../store/ports.ts";
import type { Attempt } from "./attempt.ts";
import type { Credentials } from "./engine/credentials.ts";
import { FOREIGN_KEY, type InTurn, judgeAppPassword, notJudged, notOpened, type Verdict } from "./judgement.ts";
import { findNamed, type Named, type Names } from "./name.ts";
import { checkProof, createScramSeal, ownerOf, ownerOfAppPassword } from "./scram-keys.ts";
import type { HouseKeys } from "./secret-key.ts";

export type ScramJudgeOptions = {
  readonly directory: Pick<Names, "account">;
  readonly devices: Pick<Devices, "appPasswords">;
  readonly keys: HouseKeys;
  readonly requireAppPassword: () => boolean;
  readonly clock: Clock;
};

type Proof = Extract<Credentials, { kind: "scram" }>;
/** Of whose keys it was: `appPassword` undefined: the account's own. */
type Proven = { readonly appPassword: AppPassword | undefined; readonly serverSignature: Uint8Array };

/** Makes the judge of SCRAM proofs: a proof is tried against each credential of the account, for all share one salt. */
export function createScramJudge(
  options: ScramJudgeOptions,
  inTurn: InTurn,
): (proof: Proof, attempt: Attempt) => Promise<Verdict> {
  const { directory, clock } = options;
  const prove = createProver(options);
  return async (proof, attempt) => {
    const { name, scope } = attempt;
    const named = name && (await findNamed(name, directory));
    const proven = await inTurn(attempt, async () => (named ? prove(proof, named) : ok(undefined)));
    if (!proven.ok) return notJudged(proven.error, named);
    if (!named) return { is: "wrong", named, reason: name ? "unknown" : "not an address" };
    if (proven.value === "not opened") return notOpened(named);
    if (!proven.value) return { is: "wrong", named, reason: named.account.scram ? "wrong proof" : "no SCRAM keys" };
    const { appPassword, serverSignature } = proven.value;
    if (appPassword === undefined) {
      if (scope === "pop3" && options.requireAppPassword())
        return { is: "wrong", named, reason: "app password required" };
      return { is: "right", named, appPassword, serverSignature };
    }
    const verdict = judgeAppPassword(appPassword, named, scope, clock.now());
    return verdict.is === "right" ? { ...verdict, serverSignature } : verdict;
  };
}

function createProver({ devices, keys }: Pick<ScramJudgeOptions, "devices" | "keys">) {
  const seal = createScramSeal(keys);

  function signature(sealed: Uint8Array, owner: string, { hash, message, proof }: Proof) {
    const opened = seal.unseal(sealed, owner);
    if (opened === undefined) return "unopened";
    for (const each of opened) {
      const serverSignature = checkProof(each[hash], hash, message, proof);
      if (serverSignature) return serverSignature;
    }
    return undefined;
  }

  /** "not opened": that is not one of the keys that could be opened. */
  return async (proof: Proof, { account }: Named): Promise<Result<Proven | undefined | "not opened", string>> => {
    const { id, address, scram } = account;
    const own = scram === null ? undefined : signature(scram, ownerOf(address), proof);
    if (own instanceof Uint8Array) return ok({ appPassword: undefined, serverSignature: own });
    let unopened = own === "unopened";
    let opened = scram !== null && !unopened;
    for (const appPassword of await devices.appPasswords(id)) {
      const of = signature(appPassword.scram, ownerOfAppPassword(address, appPassword.digest), proof);
      if (of instanceof Uint8Array) return ok({ appPassword, serverSignature: of });
      if (of === "unopened") unopened = true;
      else opened = true;
    }
    if (!unopened) return ok(undefined);
    // The proof may be of keys that could not be opened: then it is no wrong password (rule 3206-01).
    return opened ? ok("not opened") : err(FOREIGN_KEY);
  };
}
