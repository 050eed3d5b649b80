import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { err } from "../lib/result.ts";
import { testMetrics } from "../observe/testing.ts";
import { StoreError } from "../store/ports.ts";
import { createPasswords } from "./password.ts";
import { addressOf, directoryOf, house, made, RIGHT, STORED } from "./testing.ts";

const real = createPasswords({ metrics: testMetrics().metrics, concurrency: 2, queue: 16 });
after(() => real[Symbol.asyncDispose]());

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
      assert.ok(login.ok);
      const { account, address } = login.value;
      const found = { account, address, mailbox: login.value.mailbox };
      assert.deepEqual(found, { account: Math.floor(mailbox / 10), address: who, mailbox });
    });
  }

  test("without a default domain it is the only one, and nobody where there are several", async () => {
    const one = house({
      defaultDomain: () => undefined,
      directory: directoryOf([made(1, "ann@only.test")], ["only.test"]),
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

    const ann = directory.byAddress.get(addressOf("ann@example.test"));
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
    assert.doesNotMatch(text, /hunter2|hun\\u|x{100}/);
    assert.equal(events.filter((one) => one.event === "login.refused").length, 5);
  });

  test("a name that was typed whole, or is somebody's, is written down", async () => {
    const { as, events } = house();
    for (const user of ["ann", "Ann+junk", "nobody@example.test", "nobody"]) await as(user, "wrong");
    assert.deepEqual(
      events.map(({ fields }) => (fields as { user?: string }).user),
      ["ann@example.test", "ann@example.test", "nobody@example.test", "(not a name of ours)"],
    );
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
          device: "",
          mechanism: "PLAIN",
          tls: "TLSv1.3",
          peer: "198.51.100.7",
        },
      },
    ]);
  });
});
