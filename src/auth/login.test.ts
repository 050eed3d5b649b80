import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, describe, test } from "node:test";
import { err, ok, type Result } from "../lib/result.ts";
import { Secret } from "../lib/secret.ts";
import type { Account } from "../model/account.ts";
import { type Address, type Domain, parseAddress, splitAddress } from "../model/address.ts";
import type { AccountId, MailboxId } from "../model/ids.ts";
import { recordingLog, testMetrics } from "../observe/testing.ts";
import { StoreError } from "../store/ports.ts";
import { createVerificationCache } from "./cache.ts";
import { createLogin, type LoginOptions } from "./login.ts";
import { createPasswords, type Passwords } from "./password.ts";
import { createThrottle } from "./throttle.ts";

const peer = { address: "198.51.100.7", port: 40000 };
const door = { protocol: "pop3", tls: "TLSv1.3" } as const;
const RIGHT = "right horse";
// Its password is RIGHT; made with little work, so that the tests are quick.
const STORED = "{SSHA256}";

const real = createPasswords({ metrics: testMetrics().metrics, concurrency: 2, queue: 16 });
after(() => real[Symbol.asyncDispose]());

/** Names in memory, as honest as the store's. */
function directoryOf(accounts: readonly Account[], domains: readonly string[]) {
  const byAddress = new Map(accounts.map((account) => [account.address, account]));
  return {
    byAddress,
    account: (address: Address) => Promise.resolve(byAddress.get(address)),
    domains: () => Promise.resolve(domains as readonly Domain[]),
    hasDomain: (domain: Domain) => Promise.resolve(domains.includes(domain)),
  };
}

function made(id: number, text: string, secret: string, enabled = true): Account {
  const address = parseAddress(text);
  assert.ok(address.ok);
  return {
    id: id as AccountId,
    address: address.value,
    domain: splitAddress(address.value).domain,
    secret,
    enabled,
    quota: { octets: null, messages: null },
    created: 0,
    inbox: (id * 10) as MailboxId,
    junk: (id * 10 + 1) as MailboxId,
  };
}

/** Passwords that take as long as the test says, by its own clock, and are right when they are RIGHT. */
function timed(time: { now: number }, takes: (stored: string) => number): Pick<Passwords, "verify"> {
  return {
    verify(stored, password): Promise<Result<boolean, "unavailable">> {
      time.now += takes(stored);
      return Promise.resolve(ok(stored === STORED && password.reveal() === RIGHT));
    },
  };
}

function house(changes: Partial<LoginOptions> & { takes?: (stored: string) => number } = {}) {
  const time = { now: 5000 };
  const clock = { now: () => time.now, monotonic: () => time.now };
  const directory = directoryOf(
    [
      made(1, "ann@example.test", STORED),
      made(2, "ann+exact@example.test", STORED),
      made(3, "off@example.test", STORED, false),
      made(4, "密码@例子.test", STORED),
    ],
    ["example.test", "xn--fsqu00a.test"],
  );
  const { log, events } = recordingLog();
  const { metrics, sample } = testMetrics();
  const pauses: number[] = [];
  const login = createLogin({
    directory,
    passwords: timed(time, changes.takes ?? (() => 13)),
    throttle: createThrottle(),
    cache: createVerificationCache({ key: randomBytes(32), clock }),
    defaultDomain: () => "example.test" as Domain,
    clock,
    log,
    metrics,
    stopping: new AbortController().signal,
    pause: (ms) => {
      pauses.push(ms);
      time.now += ms;
      return Promise.resolve();
    },
    ...changes,
  });
  const as = (user: string, password = RIGHT, from = peer) =>
    login({ mechanism: "PLAIN", user, password: new Secret(password) }, from, door);
  return { as, time, directory, events, sample, pauses };
}

describe("names of people", () => {
  const cases: readonly (readonly [user: string, who: string, mailbox: number])[] = [
    ["ann@example.test", "ann@example.test", 10],
    ["ANN@Example.TEST.", "ann@example.test", 10],
    ["ann", "ann@example.test", 10],
    ["ann+junk", "ann@example.test", 11],
    ["Ann+Junk@example.test", "ann@example.test", 11],
    ["ann+shopping@example.test", "ann@example.test", 10],
    ["ann+junk+more@example.test", "ann@example.test", 10],
    ["ann+exact@example.test", "ann+exact@example.test", 20],
    ["密码@例子.test", "密码@xn--fsqu00a.test", 40],
  ];
  for (const [user, who, mailbox] of cases) {
    test(`${user} is ${who}, mailbox ${mailbox}`, async () => {
      const { as } = house();
      const login = await as(user);
      assert.deepEqual(login, { ok: true, value: { account: Math.floor(mailbox / 10), address: who, mailbox } });
    });
  }

  test("without a default domain it is the only one, and nobody where there are several", async () => {
    const one = house({
      defaultDomain: () => undefined,
      directory: directoryOf([made(1, "ann@only.test", STORED)], ["only.test"]),
    });
    assert.equal((await one.as("ann")).ok, true);
    const several = house({ defaultDomain: () => undefined });
    assert.deepEqual(await several.as("ann"), err("refused"));
    assert.equal((await several.as("ann@example.test")).ok, true);
  });
});

describe("P10: the same word at the same time, whatever was wrong", () => {
  const wrongs: readonly (readonly [what: string, user: string, password: string])[] = [
    ["wrong password", "ann@example.test", "wrong"],
    ["unknown", "nobody@example.test", RIGHT],
    ["unknown", "ann@elsewhere.test", RIGHT],
    ["disabled", "off@example.test", RIGHT],
    ["wrong password", "off@example.test", "wrong"],
    ["not an address", "<ann>", RIGHT],
    ["no password", "ann@example.test", ""],
    ["no password", "ann@example.test", "x".repeat(1025)],
  ];
  for (const took of [0, 13, 400, 1700]) {
    test(`when a check takes ${took} ms`, async () => {
      for (const [reason, user, password] of wrongs) {
        const { as, time, events } = house({ takes: () => took });
        const outcome = await as(user, password);
        assert.deepEqual(outcome, err("refused"));
        const expected = reason === "no password" ? 1000 : Math.floor(took / 1000) * 1000 + 1000;
        assert.equal(time.now - 5000, expected, `${reason}: at a full second`);
        const refused = events.find((one) => one.event === "login.refused");
        assert.partialDeepStrictEqual(refused?.fields, { reason });
      }
    });
  }

  test("quick and slow hashes are told at the same moment", async () => {
    const { as, time } = house({ takes: (stored) => (stored === STORED ? 1 : 240) });
    await as("ann@example.test", "wrong");
    assert.equal(time.now, 6000);
    await as("nobody@example.test", "wrong");
    assert.equal(time.now, 7000);
  });

  test("an account that does not exist costs a hash as well, and is slowed as well", async () => {
    const checked: string[] = [];
    const { as } = house({
      takes: (stored) => {
        checked.push(stored);
        return 13;
      },
    });
    const outcomes: string[] = [];
    for (let n = 0; n < 7; n++) {
      const outcome = await as("nobody@example.test", `guess ${n}`);
      outcomes.push(outcome.ok ? "in" : outcome.error);
    }
    assert.deepEqual(outcomes, [...Array<string>(5).fill("refused"), "throttled", "refused"]);
    assert.equal(checked.length, 6);
    assert.ok(checked.every((stored) => stored.startsWith("$argon2id$v=19$m=19456,t=2,p=1$")));
  });

  test("the hash that nobody has is a real one, and no password fits it", async () => {
    const { as } = house({ passwords: real });
    assert.deepEqual(await as("nobody@example.test", ""), err("refused"));
    assert.deepEqual(await as("nobody@example.test", RIGHT), err("refused"));
  });
});

describe("the cache", () => {
  test("a repeated login costs no hash; a changed secret or a disabled account takes hold at once", async () => {
    let hashes = 0;
    const { as, directory, sample } = house({
      takes: () => {
        hashes += 1;
        return 13;
      },
    });
    for (let n = 0; n < 3; n++) assert.equal((await as("ann@example.test")).ok, true);
    assert.equal((await as("ann+junk@example.test")).ok, true);
    assert.equal(hashes, 1);
    assert.equal(sample('mailkeep_password_hashes_total{how="cached"}'), 3);

    const ann = directory.byAddress.get("ann@example.test" as Address);
    assert.ok(ann);
    directory.byAddress.set(ann.address, { ...ann, enabled: false });
    assert.deepEqual(await as("ann@example.test"), err("refused"));
    directory.byAddress.set(ann.address, { ...ann, secret: "{SSHA256}another" });
    assert.deepEqual(await as("ann@example.test"), err("refused"));
    assert.equal(hashes, 2);
  });
});

describe("guessing", () => {
  test("the waits are told to the operator, and the right password in time is let in", async () => {
    const { as, time, events, sample } = house();
    for (let n = 0; n < 5; n++) assert.deepEqual(await as("ann@example.test", `guess ${n}`), err("refused"));
    assert.deepEqual(await as("ann@example.test"), err("throttled"), "right or wrong is not judged");
    assert.deepEqual(await as("ann@example.test", "guess 5"), err("refused"));
    const blocked = events.filter((one) => one.event === "login.blocked");
    assert.deepEqual(
      blocked.map((one) => one.fields),
      [{ key: "ann@example.test from 198.51.100.7", seconds: 2 }],
    );
    assert.equal(sample('mailkeep_logins_total{outcome="throttled"}'), 1);
    time.now += 2000;
    assert.equal((await as("ann@example.test")).ok, true);
    assert.deepEqual(await as("ann@example.test", "guess"), err("refused"), "and all is forgiven");
  });

  test("a tag does not make it another account", async () => {
    const { as } = house();
    for (let n = 0; n < 5; n++) await as(`ann+${n}@example.test`, `guess ${n}`);
    assert.deepEqual(await as("ann@example.test", "guess"), err("throttled"));
  });
});

describe("outages", () => {
  test("a store that cannot answer is no wrong password", async () => {
    const directory = directoryOf([], ["example.test"]);
    const broken = { ...directory, account: () => Promise.reject(new StoreError("unavailable", "the disk is gone")) };
    const { as, events, pauses, sample } = house({ directory: broken });
    assert.deepEqual(await as("ann@example.test"), err("unavailable"));
    assert.deepEqual(events, [
      {
        level: "error",
        event: "login.unavailable",
        fields: { protocol: "pop3", reason: "the disk is gone", peer: "198.51.100.7" },
      },
    ]);
    assert.deepEqual(pauses, [], "and is told at once");
    assert.equal(sample('mailkeep_logins_total{outcome="unavailable"}'), 1);
  });

  test("a hasher that has no time is none either, and counts against nobody", async () => {
    const { as } = house({ passwords: { verify: () => Promise.resolve(err("unavailable")) } });
    for (let n = 0; n < 10; n++) assert.deepEqual(await as("ann@example.test", "wrong"), err("unavailable"));
  });
});

describe("P7: what the log says", () => {
  test("no password, also where it was typed in the name's place", async () => {
    const { as, events } = house();
    for (const user of ["hunter2", "hunter2@secret", "hun\x1b[2Jter2", "hunter2 hunter2", "x".repeat(5000)]) {
      await as(user, "hunter2");
    }
    const text = JSON.stringify(events);
    assert.doesNotMatch(text, /hunter2@secret|hun\\u|x{100}/);
    assert.equal(events.filter((one) => one.event === "login.refused").length, 5);
  });

  test("a login that succeeded names who, from where, by what", async () => {
    const { as, events } = house();
    await as("Ann+junk");
    assert.deepEqual(events, [
      {
        level: "info",
        event: "login.ok",
        fields: {
          protocol: "pop3",
          account: "ann@example.test",
          mechanism: "PLAIN",
          tls: "TLSv1.3",
          peer: "198.51.100.7",
        },
      },
    ]);
  });
});
