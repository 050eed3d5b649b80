import { createHmac, hash as digest, pbkdf2Sync, randomBytes } from "node:crypto";
import { assert } from "../lib/assert.ts";
import { ok, type Result } from "../lib/result.ts";
import { Secret } from "../lib/secret.ts";
import type { Account } from "../model/account.ts";
import { type Address, type Domain, parseAddress, splitAddress } from "../model/address.ts";
import type { AppPassword, AppPasswordId } from "../model/device.ts";
import type { AccountId, MailboxId } from "../model/ids.ts";
import type { Client } from "../model/peer.ts";
import { type Recorded, recordingLog, testMetrics } from "../observe/testing.ts";
import type { AppPasswordUse } from "../store/ports.ts";
import { createVerificationCache } from "./cache.ts";
import { createCredentialMaker, type MadeAppPassword } from "./credentials-made.ts";
import type { Credentials, ScramHash } from "./engine/credentials.ts";
import { createLogin, type LoginOptions } from "./login.ts";
import type { LoginDoor } from "./login-report.ts";
import { createPasswords, type Passwords } from "./password.ts";
import { createScram } from "./scram.ts";
import { deriveHouseKeys } from "./secret-key.ts";
import { createThrottle } from "./throttle.ts";

/** What the account "ann" and her like log in with. */
export const RIGHT = "right horse";
/** Its stored form, made with little work, so that the tests are quick. */
export const STORED = "{SSHA256}";
export const START = 5000;
export const keys = deriveHouseKeys(Buffer.alloc(32, 1));
export const client: Client = { peer: { address: "198.51.100.7", port: 40000 }, tls: "TLSv1.3" };

/** An address as it is kept. */
export function addressOf(text: string): Address {
  const address = parseAddress(text);
  assert(address.ok, `${text} is an address`);
  return address.value;
}

/** An account whose mailboxes are ten times its id, and one more. */
export function made(id: number, text: string, changes: Partial<Account> = {}): Account {
  const address = addressOf(text);
  return {
    id: id as AccountId,
    address,
    domain: splitAddress(address).domain,
    secret: STORED,
    enabled: true,
    quota: { octets: null, messages: null },
    created: 0,
    scram: null,
    expireDays: null,
    loginDelaySeconds: null,
    language: null,
    inbox: (id * 10) as MailboxId,
    junk: (id * 10 + 1) as MailboxId,
    ...changes,
  };
}

/** An app password of account 1, as it is kept. */
export function kept(
  id: number,
  { digest: of, scram }: MadeAppPassword,
  changes: Partial<AppPassword> = {},
): AppPassword {
  return {
    id: id as AppPasswordId,
    account: 1 as AccountId,
    name: `device ${id}`,
    digest: of,
    scram,
    scopes: ["pop3", "smtp"],
    noDelete: false,
    expires: null,
    created: 0,
    lastUsed: null,
    lastPeer: null,
    ...changes,
  };
}

/** Names and devices in memory, as honest as the store's. */
export function directoryOf(accounts: readonly Account[], domains: readonly string[]) {
  const byAddress = new Map(accounts.map((account) => [account.address, account]));
  const appPasswords: AppPassword[] = [];
  const asked: string[] = [];
  return {
    byAddress,
    /** Added to by a test. */
    kept: appPasswords,
    /** Which reads were asked of it. */
    asked,
    account: (address: Address) => Promise.resolve(byAddress.get(address)),
    domains: () => Promise.resolve(domains as readonly Domain[]),
    hasDomain: (domain: Domain) => Promise.resolve(domains.includes(domain)),
    appPasswords: (account: AccountId) => {
      asked.push(`app passwords of ${account}`);
      return Promise.resolve(appPasswords.filter((one) => one.account === account));
    },
  };
}

/** Passwords that take as long as the test says, by its own clock, and are right when they are RIGHT. */
export function timed(time: { now: number }, takes: (stored: string) => number): Pick<Passwords, "verify"> {
  return {
    verify(stored, password): Promise<Result<boolean, "unavailable">> {
      time.now += takes(stored);
      return Promise.resolve(ok(stored === STORED && password.reveal() === RIGHT));
    },
  };
}

/** A maker of credentials with a hasher of its own, to be disposed of. */
export function credentialMaker() {
  const passwords = createPasswords({ metrics: testMetrics().metrics, concurrency: 2, queue: 64 });
  const maker = createCredentialMaker({ passwords, keys });
  return { ...maker, passwords, [Symbol.asyncDispose]: () => passwords[Symbol.asyncDispose]() };
}

/** What a SCRAM client proves for these facts (RFC 5802 §3), and what it then expects of the server. */
export function proofOf(
  password: string,
  hash: ScramHash,
  { salt, iterations }: { readonly salt: Uint8Array; readonly iterations: number },
): { readonly message: Uint8Array; readonly proof: Uint8Array; readonly serverSignature: Uint8Array } {
  const hmac = (key: Uint8Array, text: string | Uint8Array): Buffer => createHmac(hash, key).update(text).digest();
  const salted = pbkdf2Sync(password, salt, iterations, hash === "sha1" ? 20 : 32, hash);
  const message = randomBytes(64);
  const clientKey = hmac(salted, "Client Key");
  const signature = hmac(digest(hash, clientKey, "buffer"), message);
  return {
    message,
    proof: clientKey.map((octet, index) => octet ^ (signature[index] ?? 0)),
    serverSignature: hmac(hmac(salted, "Server Key"), message),
  };
}

export type HouseChanges = Partial<LoginOptions> & {
  readonly takes?: (stored: string) => number;
  readonly accounts?: readonly Account[];
};

/** A login over accounts in memory, with a time of its own. */
export function house({ takes = () => 13, accounts = people(), ...changes }: HouseChanges = {}) {
  const time = { now: START };
  const clock = { now: () => time.now, monotonic: () => time.now };
  const directory = directoryOf(accounts, ["example.test", "xn--fsqu00a.test"]);
  const { log, events } = recordingLog();
  const { metrics, sample } = testMetrics();
  const noted = {
    pauses: [] as number[],
    uses: [] as AppPasswordUse[],
    places: [] as string[],
    learned: [] as string[],
  };
  const options: LoginOptions = {
    directory,
    devices: directory,
    passwords: timed(time, takes),
    keys,
    throttle: createThrottle(),
    cache: createVerificationCache({ key: randomBytes(32), clock }),
    defaultDomain: () => "example.test" as Domain,
    requireAppPassword: () => false,
    defaults: () => ({ expireDays: 0, loginDelaySeconds: 0 }),
    tokens: () => undefined,
    certificateName: ({ emails }) => emails[0],
    learner: { saw: (account) => void noted.learned.push(account.address) },
    uses: { note: (use) => void noted.uses.push(use) },
    places: { note: (account, place, at) => void noted.places.push(`${account} at ${place}, ${at}`) },
    clock,
    log,
    metrics,
    stopping: new AbortController().signal,
    pause: (ms) => {
      noted.pauses.push(ms);
      time.now += ms;
      return Promise.resolve();
    },
    ...changes,
  };
  return { ...visits(options), ...noted, time, directory, events, sample };
}

function people(): readonly Account[] {
  return [
    made(1, "ann@example.test"),
    made(2, "ann+exact@example.test"),
    made(3, "off@example.test", { enabled: false }),
    made(4, "密码@例子.test"),
  ];
}

type Protocol = LoginDoor["protocol"];
type Way = { readonly hash?: ScramHash; readonly from?: Client; readonly protocol?: Protocol };

/** The ways in. */
function visits(options: LoginOptions) {
  const login = createLogin(options);
  const scram = createScram(options);
  const enter = (credentials: Credentials, from = client, protocol: Protocol = "pop3") =>
    login(credentials, from, { protocol });
  const as = (user: string, password = RIGHT, from = client, protocol: Protocol = "pop3") =>
    enter({ kind: "password", mechanism: "PLAIN", user, password: new Secret(password) }, from, protocol);
  /** Logs in by a proof, as a client does; gives the server's signature that it expects beside the outcome. */
  const prove = async (user: string, password: string, { hash = "sha256", from = client, protocol }: Way = {}) => {
    const facts = await scram({ kind: "scram", user, hash }, from.peer);
    const { message, proof, serverSignature } = proofOf(password, hash, facts);
    const mechanism = hash === "sha1" ? "SCRAM-SHA-1" : "SCRAM-SHA-256";
    const outcome = await enter({ kind: "scram", mechanism, user, hash, message, proof }, from, protocol);
    return { outcome, serverSignature };
  };
  return { as, enter, prove, scram };
}

/** Why the last login was refused, by the log. */
export function lastReason(events: readonly Recorded[]): unknown {
  const refused = events.findLast((one) => one.event === "login.refused");
  return (refused?.fields as { readonly reason?: unknown } | undefined)?.reason;
}
