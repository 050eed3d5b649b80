import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { err, ok } from "../lib/result.ts";
import { Secret } from "../lib/secret.ts";
import type { Account } from "../model/account.ts";
import type { Client } from "../model/peer.ts";
import type { MadeAppPassword, MadeCredentials } from "./credentials-made.ts";
import type { Login } from "./login.ts";
import { ownerOf, ownerOfAppPassword } from "./scram-keys.ts";
import { deriveHouseKeys } from "./secret-key.ts";
import {
  addressOf,
  client,
  credentialMaker,
  house,
  type HouseChanges,
  kept,
  lastReason,
  made,
  RIGHT,
} from "./testing.ts";

const ANN = addressOf("ann@example.test");
const maker = credentialMaker();
let main: MadeCredentials;
let phone: MadeAppPassword;
let scanner: MadeAppPassword;

before(async () => {
  const own = await maker.makeCredentials(ANN, new Secret(RIGHT));
  assert.ok(own.ok);
  main = own.value;
  phone = await maker.makeAppPassword(ANN);
  scanner = await maker.makeAppPassword(ANN);
});
after(() => maker[Symbol.asyncDispose]());

/** Ann with keys, a phone that reads and never removes, and a scanner that only sends. */
function home(changes: HouseChanges = {}, ann: Partial<Account> = {}) {
  const accounts = [
    made(1, ANN, { scram: main.scram, ...ann }),
    made(2, "bob@example.test"),
    made(3, "off@example.test", { enabled: false }),
    made(4, "kim@example.test"),
  ];
  const own = house({ accounts, ...changes });
  own.directory.kept.push(
    kept(7, phone, { name: "phone", noDelete: true }),
    kept(8, scanner, { name: "scanner", scopes: ["smtp"], expires: 60_000 }),
  );
  return own;
}

function who(outcome: Awaited<ReturnType<Login>>): unknown {
  return outcome.ok ? outcome.value.device.name : outcome.error;
}

describe("app passwords", () => {
  test("open their account, and say which device it is; the use is noted", async () => {
    const { as, uses, events, directory } = home();
    const outcome = await as("ann+junk", phone.text.reveal());
    assert.ok(outcome.ok);
    assert.partialDeepStrictEqual(outcome.value.device, { appPassword: 7, name: "phone", noDelete: true });
    assert.equal(outcome.value.mailbox, 11);
    assert.deepEqual(uses, [{ id: 7, at: 5000, peer: "198.51.100.7" }]);
    assert.partialDeepStrictEqual(events.at(-1)?.fields, { device: "phone", mechanism: "PLAIN" });
    assert.deepEqual(directory.asked, ["app passwords of 1"]);
  });

  test("may be typed without separators and in any case", async () => {
    const { as } = home();
    const text = phone.text.reveal();
    for (const typed of [
      text.replaceAll("-", ""),
      text.toUpperCase(),
      text.replaceAll("-", " "),
      text.replaceAll("-", "–"),
    ])
      assert.equal(who(await as("ann", typed)), "phone", typed);
  });

  test("are not looked up for a text that has not their form: the login by a main password costs what it did", async () => {
    const { as, directory, uses } = home();
    assert.equal(who(await as("ann")), "");
    assert.deepEqual(directory.asked, []);
    assert.deepEqual(uses, []);
  });

  test("open no other account, and none after they were revoked", async () => {
    const { as, directory } = home();
    assert.equal(who(await as("bob", phone.text.reveal())), "refused");
    directory.kept.push({ ...kept(9, phone), account: made(2, "bob@example.test").id });
    assert.equal(who(await as("bob", phone.text.reveal())), "refused", "also where its row was copied to");
    directory.kept.splice(0);
    assert.equal(who(await as("ann", phone.text.reveal())), "refused");
  });

  const scopes = [
    ["phone", "pop3", "phone", undefined],
    ["phone", "submission", "phone", undefined],
    ["phone", "smtp", "phone", undefined],
    ["scanner", "pop3", "refused", "out of scope"],
    ["scanner", "submission", "scanner", undefined],
  ] as const;
  for (const [device, protocol, expected, why] of scopes) {
    test(`P10 ${device} at ${protocol}, by password and by proof: ${expected}`, async () => {
      const password = (device === "phone" ? phone : scanner).text.reveal();
      const one = home();
      assert.equal(who(await one.as("ann", password, client, protocol)), expected);
      assert.equal(lastReason(one.events), why);
      const other = home();
      const { outcome } = await other.prove("ann", password, { protocol });
      assert.equal(who(outcome), expected);
      assert.equal(lastReason(other.events), why);
      assert.deepEqual(one.pauses.length, why ? 1 : 0);
    });
  }

  test("end when they expire, to the millisecond", async () => {
    const { as, prove, time, events } = home();
    time.now = 59_999;
    assert.equal(who(await as("ann", scanner.text.reveal(), client, "submission")), "scanner");
    time.now = 60_000;
    assert.equal(who(await as("ann", scanner.text.reveal(), client, "submission")), "refused");
    assert.equal(lastReason(events), "expired");
    const { outcome } = await prove("ann", scanner.text.reveal(), { protocol: "submission" });
    assert.equal(who(outcome), "refused");
  });

  test("made with another secret key, they are an outage and no wrong password", async () => {
    const { as, prove } = home({ keys: deriveHouseKeys(Buffer.alloc(32, 2)) });
    assert.equal(who(await as("ann", phone.text.reveal())), "unavailable");
    assert.equal(who((await prove("ann", phone.text.reveal())).outcome), "unavailable");
    assert.equal(who(await as("ann")), "", "the main password needs no key");
    assert.equal(who(await as("ann", "wrong")), "refused");
  });
});

describe("auth.require_app_password", () => {
  const changes: HouseChanges = { requireAppPassword: () => true };
  test("P10 a main password opens no maildrop, right or wrong, and nobody can tell", async () => {
    for (const [user, password] of [
      ["ann", RIGHT],
      ["ann", "wrong"],
      ["nobody", RIGHT],
    ] as const) {
      const { as, time } = home({ ...changes, takes: () => assert.fail("no main password is looked at") });
      assert.equal(who(await as(user, password)), "refused");
      assert.equal(time.now, 6000);
    }
    const { as, events } = home(changes);
    await as("ann");
    assert.equal(lastReason(events), "app password required");
  });

  test("nor by proof; app passwords do, and mail is still submitted by it", async () => {
    const { as, prove, events } = home(changes);
    assert.equal(who((await prove("ann", RIGHT)).outcome), "refused");
    assert.equal(lastReason(events), "app password required");
    assert.equal(who((await prove("ann", phone.text.reveal())).outcome), "phone");
    assert.equal(who(await as("ann", phone.text.reveal())), "phone");
    assert.equal(who(await as("ann", RIGHT, client, "submission")), "");
    assert.equal(who((await prove("ann", RIGHT, { protocol: "submission" })).outcome), "");
  });
});

describe("SCRAM-01 proofs", () => {
  for (const hash of ["sha256", "sha1"] as const) {
    test(`of the main password and of each app password, by ${hash}; the server proves itself too`, async () => {
      const { prove } = home();
      for (const [password, device] of [
        [RIGHT, ""],
        [phone.text.reveal(), "phone"],
        [phone.text.reveal().replaceAll("-", ""), "phone"],
      ] as const) {
        const { outcome, serverSignature } = await prove("ann+junk", password, { hash });
        assert.ok(outcome.ok);
        assert.equal(outcome.value.device.name, device);
        assert.equal(outcome.value.mailbox, 11);
        assert.deepEqual(Buffer.from(outcome.value.serverSignature ?? ""), Buffer.from(serverSignature));
      }
    });
  }

  test("P10 wrong, unknown, disabled, without keys: one word, at one moment", async () => {
    for (const [user, password, why] of [
      ["ann", "wrong", "wrong proof"],
      ["nobody", RIGHT, "unknown"],
      ["off", RIGHT, "no SCRAM keys"],
      ["bob", RIGHT, "no SCRAM keys"],
      ["<ann>", RIGHT, "not an address"],
    ] as const) {
      const { prove, time, events } = home();
      const { outcome } = await prove(user, password);
      assert.deepEqual(outcome, err("refused"));
      assert.equal(lastReason(events), why);
      assert.equal(time.now, 6000, why);
    }
  });

  test("of a disabled account, though right, is refused as if wrong", async () => {
    const { prove, events } = home({}, { enabled: false });
    assert.deepEqual((await prove("ann", RIGHT)).outcome, err("refused"));
    assert.equal(lastReason(events), "disabled");
  });

  test("each wrong one is one more guess", async () => {
    const { prove } = home();
    const outcomes: unknown[] = [];
    for (let n = 0; n < 7; n++) outcomes.push(who((await prove("ann", "the old password")).outcome));
    assert.deepEqual(outcomes, [...Array<string>(6).fill("refused"), "throttled"]);
  });

  test("keys that cannot be opened are an outage, also where another credential was meant", async () => {
    const broken = Buffer.from(main.scram);
    broken[30] = (broken[30] ?? 0) ^ 1;
    const { prove, events } = home({}, { scram: broken });
    assert.equal(who((await prove("ann", RIGHT)).outcome), "unavailable");
    assert.equal(events.at(-1)?.event, "login.unavailable");
    assert.equal(who((await prove("ann", phone.text.reveal())).outcome), "phone", "this one can be opened");
  });

  test("beside keys that cannot be opened, those that can are guessed at no faster", async () => {
    const { prove, as, directory, events } = home();
    const foreign = kept(9, phone, { name: "old phone" });
    directory.kept.push({ ...foreign, scram: foreign.scram.map((octet) => octet ^ 1) });
    const proofs: unknown[] = [];
    for (let n = 0; n < 6; n++) proofs.push(who((await prove("ann", `guess ${n}`)).outcome));
    assert.deepEqual(proofs, [...Array<string>(5).fill("unavailable"), "throttled"]);
    assert.equal(events.filter(({ event }) => event === "login.unavailable").length, 5);
    const texts: unknown[] = [];
    const elsewhere: Client = { ...client, peer: { address: "203.0.113.9", port: 1 } };
    for (const letter of "abcdef") texts.push(who(await as("ann", letter.repeat(26).replace(/.$/, "a"), elsewhere)));
    assert.deepEqual(texts, [...Array<string>(5).fill("unavailable"), "throttled"]);
  });

  test("sealed keys are of no use in another account's row, or as another kind of credential", async () => {
    const { prove, directory } = home();
    const bob = addressOf("bob@example.test");
    directory.byAddress.set(bob, made(2, bob, { scram: main.scram }));
    assert.equal(who((await prove("bob", RIGHT)).outcome), "unavailable");
    assert.notEqual(ownerOf(ANN), ownerOfAppPassword(ANN, phone.digest));
    directory.byAddress.set(ANN, made(1, ANN, { scram: phone.scram }));
    directory.kept.splice(0);
    assert.equal(who((await prove("ann", phone.text.reveal())).outcome), "unavailable");
  });
});

describe("tokens and certificates", () => {
  const tokens = () => ({
    verify: async (token: Secret) => {
      const text = token.reveal();
      if (text === "outage") return err("unavailable");
      return text.startsWith("for ") ? ok({ username: text.slice(4) }) : err("refused");
    },
  });
  const token = (text: string, user = "") =>
    ({ kind: "token", mechanism: "OAUTHBEARER", user, token: new Secret(text) }) as const;
  const certificate = (user = "") => ({ kind: "certificate", mechanism: "EXTERNAL", user }) as const;
  const holder: Client = { ...client, certificate: { emails: ["ann@example.test"], commonName: "Ann" } };

  const cases: readonly (readonly [what: string, user: string, expected: unknown, why?: string])[] = [
    ["for ann@example.test", "", 10],
    ["for ann@example.test", "ann@example.test", 10],
    ["for ann@example.test", "Ann+junk@Example.test", 11],
    ["for ann@example.test", "bob@example.test", "refused", "another user"],
    ["for ann@example.test", "nobody@example.test", "refused", "another user"],
    ["for ann@example.test", "<ann>", "refused", "another user"],
    ["for nobody@example.test", "", "refused", "unknown"],
    ["for off@example.test", "", "refused", "disabled"],
    ["for nobody in particular", "", "refused", "unknown"],
    ["for ann", "", 10],
    // Each of these may be somebody else at the provider.
    ["for ann+x@example.test", "", "refused", "unknown"],
    ["for ann+x@example.test", "ann@example.test", "refused", "unknown"],
    ["for ann+junk", "", "refused", "unknown"],
    ["for ａｎｎ@example.test", "", "refused", "unknown"],
    ["for an\u00adn@example.test", "", "refused", "unknown"],
    ["for \u212aim@example.test", "", "refused", "unknown"],
    ["bad", "ann@example.test", "refused", "wrong token"],
    ["outage", "ann@example.test", "unavailable"],
  ];
  for (const [text, user, expected, why] of cases) {
    test(`P10 a token: ${text}, as "${user}": ${String(expected)}`, async () => {
      const { enter, events, time } = home({ tokens, requireAppPassword: () => true });
      const outcome = await enter(token(text, user));
      assert.equal(outcome.ok ? outcome.value.mailbox : outcome.error, expected);
      assert.equal(lastReason(events), why);
      assert.equal(time.now, why ? 6000 : 5000);
    });
  }

  test("no token is taken where none is configured", async () => {
    const { enter } = home();
    assert.equal(who(await enter(token("for ann@example.test"))), "refused");
  });

  test("bad tokens that name nobody slow nobody else's", async () => {
    const { enter } = home({ tokens });
    for (let n = 0; n < 12; n++) assert.equal(who(await enter(token(`bad ${n}`))), "refused");
    assert.equal(who(await enter(token("for ann@example.test"))), "");
  });

  test("a certificate opens the account that it names", async () => {
    const { enter, events } = home({ requireAppPassword: () => true });
    assert.equal(who(await enter(certificate(), holder)), "");
    assert.equal(who(await enter(certificate("ann"), holder)), "");
    assert.equal(who(await enter(certificate("bob"), holder)), "refused");
    assert.equal(lastReason(events), "another user");
    assert.equal(who(await enter(certificate("ann"), client)), "refused");
    assert.equal(lastReason(events), "no certificate");
    const tagged: Client = { ...client, certificate: { emails: ["ann+x@example.test"], commonName: "" } };
    assert.equal(who(await enter(certificate(), tagged)), "refused");
    assert.equal(lastReason(events), "unknown");
  });

  test("P7 no token reaches the log", async () => {
    const { enter, events } = home({ tokens });
    await enter(token("bad hunter2", "hunter2 hunter2"));
    assert.doesNotMatch(JSON.stringify(events), /hunter2/);
  });
});

describe("what an identity says", () => {
  test("the same device is known again, by its app password anywhere, else by its place", async () => {
    const { as, prove } = home();
    const at = (address: string): Client => ({ ...client, peer: { address, port: 1 } });
    const mark = async (password: string, address: string): Promise<number> => {
      const outcome = await as("ann", password, at(address));
      assert.ok(outcome.ok);
      return outcome.value.device.mark;
    };
    const text = phone.text.reveal();
    assert.equal(await mark(text, "198.51.100.7"), await mark(text, "2001:db8::1"));
    assert.equal(await mark(RIGHT, "198.51.100.7"), await mark(RIGHT, "198.51.100.200"));
    assert.notEqual(await mark(RIGHT, "198.51.100.7"), await mark(RIGHT, "198.51.101.7"));
    assert.notEqual(await mark(RIGHT, "198.51.100.7"), await mark(text, "198.51.100.7"));
    const { outcome } = await prove("ann", RIGHT);
    assert.ok(outcome.ok);
    assert.equal(outcome.value.device.mark, await mark(RIGHT, "198.51.100.7"), "whatever the mechanism");
  });

  test("the account's own figures, else the defaults", async () => {
    const defaults = () => ({ expireDays: 30, loginDelaySeconds: 5 });
    const by = await home({ defaults }).as("ann");
    assert.ok(by.ok);
    assert.partialDeepStrictEqual(by.value, { expireDays: 30, loginDelaySeconds: 5 });
    assert.equal(by.value.language, undefined);
    const own = { expireDays: 0, loginDelaySeconds: 60, language: "zh-CN" } as const;
    const given = await home({ defaults }, own).as("ann");
    assert.ok(given.ok);
    assert.partialDeepStrictEqual(given.value, own);
  });

  test("a success from a place that is news is told, once", async () => {
    const { as, places } = home();
    await as("ann");
    await as("ann");
    await as("ann", RIGHT, { ...client, peer: { address: "2001:db8::1", port: 1 } });
    assert.deepEqual(places, ["1 at 198.51.100.0/24, 5013", "1 at 2001:db8:0:0::/64, 5013"]);
  });

  test("SASL-05 a password that was right is told to the learner; a wrong one, and an app password, is not", async () => {
    const { as, learned } = home();
    await as("ann", "wrong");
    await as("ann", phone.text.reveal());
    assert.deepEqual(learned, []);
    await as("ann");
    assert.deepEqual(learned, ["ann@example.test"]);
  });
});

describe("rule 6856-01: names", () => {
  test("are prepared: what looks alike is one, in all that is counted too", async () => {
    const { as } = home();
    assert.equal(who(await as("ａｎｎ")), "", "in full-width letters");
    assert.equal(who(await as("an\u00adn@example.test")), "", "with a soft hyphen");
    for (let n = 0; n < 5; n++) await as(n % 2 ? "ａｎｎ" : "ann", `guess ${n}`);
    assert.equal(who(await as("an\u00adn")), "throttled");
  });

  test("an account kept under another form is found as typed; what SASLprep prohibits is nobody", async () => {
    const accounts = [made(1, "ａnn@example.test"), made(2, "ann@example.test"), made(3, "שלום@example.test")];
    const { as, events } = house({ accounts });
    const typed = await as("ａnn@example.test");
    assert.equal(typed.ok && typed.value.account, 1);
    const plain = await as("ann@example.test");
    assert.equal(plain.ok && plain.value.account, 2);
    assert.equal((await as("שלום@example.test")).ok, true, "a domain is no part of the direction of a name");
    for (const user of ["an\u202en@example.test", "ann\ue000@example.test", "שלוםa@example.test"]) {
      assert.equal(who(await as(user)), "refused");
      assert.equal(lastReason(events), "not an address");
    }
  });
});
