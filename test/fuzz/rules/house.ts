import type { Given } from "../../../src/pop3/testing/world.ts";
import { signatureOf, type Bindings, type Claim } from "./sasl.ts";

/** What the judge of a dialogue knows of the server that it listens to. */
export type House = {
  readonly tls: boolean;
  readonly stls: boolean;
  readonly cleartext: boolean;
  readonly scram: boolean;
  readonly scramSha1: boolean;
  /** SCRAM bound to its channel is taken and not announced (docs/adr/0015). */
  readonly plusHidden: boolean;
  readonly oauth: boolean;
  /** The client shows a certificate, and it counts. */
  readonly certificate: boolean;
  /** What it can be bound to over TLS. */
  readonly bindings: Bindings;
  readonly messages: readonly HouseMessage[];
  /** Whether a claim is right; what the server then has to sign, for SCRAM. */
  readonly knows: (claim: Claim) => { readonly signature?: string } | undefined;
  readonly expire: string;
  readonly ownExpire: string;
  /** The account's own language is not English, so errors may be in it. */
  readonly foreign: boolean;
  readonly noDelete: boolean;
  readonly faults: Pick<Given, "login" | "facts" | "open" | "listing" | "update">;
  /** Other sessions and guesses go on beside this one: a login may be told to come back. */
  readonly busy: boolean;
};

export type HouseMessage = {
  /** Octets in latin1, with UTF8 and without it. */
  readonly text: string;
  readonly ascii: string;
  readonly uidl: string | undefined;
  readonly fault: Given["messages"][number]["fault"];
};

const PASSWORDS: ReadonlyMap<string, string> = new Map([
  ["tim", "tanstaaf"],
  ["ann", " two words "],
  ["tím", "pässwörd 密码"],
  ["user", "pencil"],
]);
const TOKENS: ReadonlySet<string> = new Set(["dGltcyB0b2tlbg==", "t".repeat(16_384)]);

/** The house of a transcript. */
export function houseOf(given: Given): House {
  const { announced, policy, person } = given;
  const { mechanisms, expire } = announced;
  return {
    tls: given.tls,
    stls: policy.stlsPossible,
    cleartext: mechanisms.allowCleartext,
    scram: mechanisms.scram,
    scramSha1: mechanisms.scramSha1,
    plusHidden: mechanisms.bindingUnannounced ?? false,
    oauth: mechanisms.oauth,
    certificate: mechanisms.clientCertificates && given.certificate,
    bindings: new Map(
      given.binding
        ? ["tls-exporter", "tls-server-end-point"].map((type) => [type, `the data of ${type}`] as const)
        : [],
    ),
    messages: given.messages,
    knows: (claim) => knows(claim, given.certificate),
    expire: (expire.days === 0 ? "NEVER" : String(expire.days)) + (expire.perUser ? " USER" : ""),
    ownExpire: person.expireDays === 0 ? "NEVER" : String(person.expireDays),
    foreign: person.language !== undefined && person.language !== "en",
    noDelete: person.noDelete,
    faults: given,
    busy: false,
  };
}

function knows(claim: Claim, certificate: boolean): { readonly signature?: string } | undefined {
  const { user } = claim;
  if (claim.kind === "password") return PASSWORDS.get(user) === claim.password ? {} : undefined;
  if (claim.kind === "scram") {
    const password = PASSWORDS.get(user);
    const signature = password === undefined ? undefined : signatureOf(claim, password);
    return signature === undefined ? undefined : { signature };
  }
  if (user !== "" && user !== "tim") return undefined;
  return (claim.kind === "token" ? TOKENS.has(claim.token) : certificate) ? {} : undefined;
}

/** How QUIT says that the house did not remove all: for now, or for good where a row is damaged (RFC 3206 §4). */
export const UPDATE_CODES = { partly: "SYS/PERM", lost: "SYS/TEMP", full: "SYS/TEMP", failed: "SYS/TEMP" } as const;
