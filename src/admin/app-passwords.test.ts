import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import { deviceOf } from "../auth/device.ts";
import type { Result } from "../lib/result.ts";
import { parseAddress } from "../model/address.ts";
import { localAdmin } from "./perform.ts";
import type { Admin } from "./operations.ts";
import type { Refusal } from "./refusal.ts";
import { testServices, type TestServices } from "./testing.ts";

let world: TestServices;
let admin: Admin;
before(async () => {
  world = await testServices();
  admin = localAdmin(world.services);
  assert.ok((await admin.call("domain.add", { name: "d.example" })).ok);
});
after(() => world[Symbol.asyncDispose]());

// A user of its own for each test: they share one store.
let users = 0;
let address = "";
beforeEach(async () => {
  users += 1;
  address = `u${users}@d.example`;
  assert.ok((await admin.call("user.add", { address, password: "main" })).ok);
});

function code(result: Result<unknown, Refusal>): string {
  return result.ok ? "done" : [result.error.code, result.error.subject, result.error.detail].filter(Boolean).join(" ");
}

async function ownAccount() {
  const parsed = parseAddress(address);
  assert.ok(parsed.ok);
  const found = await world.store.directory.account(parsed.value);
  assert.ok(found);
  return found;
}

describe("an app password", () => {
  it("is given once, and kept as a digest and keys", async () => {
    const expires = Date.now() + 60_000;
    const made = await admin.call("app-password.add", {
      address,
      name: " Phone ",
      scopes: ["pop3"],
      noDelete: true,
      expires,
    });
    assert.ok(made.ok);
    const { password, created, address: of, ...rest } = made.value;
    assert.equal(of, address);
    assert.match(password, /^(?:[a-z2-7]{5}-){4}[a-z2-7]{6}$/);
    assert.ok(Math.abs(Date.parse(created) - Date.now()) < 60_000);
    assert.deepEqual(rest, {
      name: "Phone",
      scopes: ["pop3"],
      noDelete: true,
      expires: new Date(expires).toISOString(),
      expired: false,
      lastUsed: null,
      lastPeer: null,
    });
    const [kept] = await world.store.devices.appPasswords((await ownAccount()).id);
    assert.equal(kept?.digest.length, 32);
    assert.ok((kept?.scram.length ?? 0) > 0);
    const listed = await admin.call("app-password.list", { address });
    assert.deepEqual(listed, { ok: true, value: { address, appPasswords: [{ ...rest, created }] } });
    assert.ok(!JSON.stringify([listed, world.events]).includes(password));
  });

  it("is for fetching and sending, for ever, unless it is said otherwise", async () => {
    const made = await admin.call("app-password.add", { address, name: "x" });
    assert.ok(made.ok);
    assert.deepEqual([made.value.scopes, made.value.noDelete, made.value.expires], [["pop3", "smtp"], false, null]);
  });

  it("is refused where it makes no sense, and says why", async () => {
    const add = (more: object) => admin.call("app-password.add", { address, name: "x", ...more });
    assert.equal(code(await add({ name: " " })), "bad-device-name  ");
    assert.equal(code(await add({ name: "a\u202eb" })), "bad-device-name a\u202eb");
    assert.equal(code(await add({ name: "x".repeat(65) })), `bad-device-name ${"x".repeat(65)}`);
    assert.equal(code(await add({ expires: Date.now() - 1 })), "expired-already x");
    assert.equal(code(await add({ scopes: [] })), "bad-input app-password.add scopes: too_small");
    assert.equal(code(await add({ address: "gone@d.example" })), "unknown-user gone@d.example");
    assert.equal(code(await add({})), "done");
    assert.equal(code(await add({})), `device-exists x ${address}`);
    for (let more = 1; more < 32; more += 1) assert.equal(code(await add({ name: `x${more}` })), "done");
    assert.equal(code(await add({ name: "one more" })), `too-many-devices ${address} 32`);
  });

  it("that is taken back cuts the session of its device and no other", async () => {
    assert.ok((await admin.call("app-password.add", { address, name: "lost" })).ok);
    assert.ok((await admin.call("app-password.add", { address, name: "kept" })).ok);
    const { id, inbox, junk } = await ownAccount();
    const own = await world.store.devices.appPasswords(id);
    const lost: string[] = [];
    for (const [mailbox, name] of [
      [inbox, "lost"],
      [junk, "kept"],
    ] as const) {
      const { mark } = deviceOf(
        id,
        own.find((one) => one.name === name),
        "",
      );
      const claim = { waitMs: 0, takeOver: { mark, afterSeconds: 60 } };
      assert.ok((await world.store.leases.acquire(mailbox, claim, () => lost.push(name))).ok);
    }
    assert.equal(
      code(await admin.call("app-password.revoke", { address, name: "gone" })),
      `unknown-device gone ${address}`,
    );
    assert.equal(code(await admin.call("app-password.revoke", { address, name: "lost" })), "done");
    assert.deepEqual(lost, ["lost"]);
    assert.equal(world.store.leases.held(inbox), false);
    assert.equal(world.store.leases.held(junk), true);
    const listed = await admin.call("app-password.list", { address });
    assert.deepEqual(listed.ok && listed.value.appPasswords.map(({ name }) => name), ["kept"]);
  });

  it("is in the log by its device's name, when it is made and when it is taken back", async () => {
    const start = world.events.length;
    assert.ok((await admin.call("app-password.add", { address, name: "phone" })).ok);
    assert.ok((await admin.call("app-password.revoke", { address, name: "phone" })).ok);
    assert.deepEqual(
      world.events.slice(start).map(({ fields }) => fields),
      [
        { action: "app-password.add", subject: address, detail: "phone" },
        { action: "app-password.revoke", subject: address, detail: "phone" },
      ],
    );
  });
});

describe("penalties", () => {
  it("are listed, and cleared by account, by network or all", async () => {
    for (const name of ["a", "b", "c"])
      assert.ok((await admin.call("user.add", { address: `${name}@d.example`, password: "main" })).ok);
    const start = world.events.length;
    const at = world.services.clock.monotonic();
    for (let count = 0; count < 8; count += 1) {
      world.throttle.failed("a@d.example", "192.0.2.7", count, at);
      world.throttle.failed("b@d.example", "192.0.2.9", count, at);
      world.throttle.failed("c@d.example", "2001:db8:0:1::/64", count, at);
    }
    const accounts = async () => {
      const listed = await admin.call("auth.penalties.list", {});
      assert.ok(listed.ok && listed.value.running);
      return listed.value.penalties.map(({ account }) => account).toSorted();
    };
    const clear = async (which?: string) => {
      const done = await admin.call("auth.penalties.clear", which === undefined ? {} : { which });
      return done.ok ? done.value.cleared : done.error.code;
    };
    assert.deepEqual(await accounts(), ["a@d.example", "b@d.example", "c@d.example"]);
    assert.equal(await clear("192.0.2.0/33"), "bad-network");
    assert.equal(await clear("A+tag@D.example"), 1);
    assert.equal(await clear("2001:db8:0:1:aaaa::1"), 1);
    assert.deepEqual(await accounts(), ["b@d.example"]);
    assert.equal(await clear("192.0.2.0/24"), 1);
    assert.equal(await clear(), 0);
    const said = (subject: string, detail: string) => ({ action: "auth.penalties.clear", subject, detail });
    assert.deepEqual(
      world.events.slice(start).map(({ fields }) => fields),
      [
        said("A+tag@D.example", "1 cleared"),
        said("2001:db8:0:1:aaaa::1", "1 cleared"),
        said("192.0.2.0/24", "1 cleared"),
        said("", "0 cleared"),
      ],
    );
  });

  it("P7 name nobody but accounts, for a password may have been typed in a name's place", async () => {
    const at = world.services.clock.monotonic();
    for (let count = 0; count < 40; count += 1) {
      world.throttle.failed("p@ssw0rd", "192.0.2.8", count, at);
      world.throttle.failed("hunter2@d.example", "192.0.2.8", count, at);
    }
    const listed = await admin.call("auth.penalties.list", {});
    assert.ok(listed.ok && listed.value.penalties.length > 1);
    assert.doesNotMatch(JSON.stringify(listed.value), /p@ssw0rd|hunter2/);
    assert.deepEqual(new Set(listed.value.penalties.map(({ account }) => account)), new Set(["(not a name of ours)"]));
    assert.ok((await admin.call("auth.penalties.clear", {})).ok);
  });

  it("are none where no server runs", async () => {
    const { penalties: _, ...services } = world.services;
    const alone = localAdmin(services);
    assert.deepEqual(await alone.call("auth.penalties.list", {}), {
      ok: true,
      value: { running: false, penalties: [] },
    });
    assert.deepEqual(await alone.call("auth.penalties.clear", {}), { ok: true, value: { running: false, cleared: 0 } });
  });
});
