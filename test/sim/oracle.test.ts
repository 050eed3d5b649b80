import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { contentOf, stuffed, unstuffed } from "./mail-text.ts";
import { Oracle } from "./oracle.ts";
import type { Session } from "./truth.ts";

const ANN = "ann@example.test";
const TRACE = "Return-Path: <sender@example.org>\r\nReceived: from client\r\n\tby mail.example.test;\r\n";

/** A client's view of a server that a test makes up. */
function house({ disksFail = false } = {}) {
  const time = { now: 1000, life: 1 };
  const oracle = new Oracle({
    now: () => time.now,
    wall: () => time.now,
    life: () => time.life,
    disksFail,
    readsFail: () => disksFail,
    stoppedAt: () => Number.POSITIVE_INFINITY,
    takeoverSeconds: 60,
    keeps: true,
  });
  oracle.made(ANN);
  const maildrop = oracle.maildrop(ANN);
  let sessions = 0;
  const later = (ms = 1000): void => {
    time.now += ms;
  };
  const textOf = (name: string): string => contentOf(1, name, 300);
  return {
    oracle,
    maildrop,
    later,
    crash: () => {
      time.life += 1;
      later();
    },
    sends: (name: string, answered = true): void => {
      later();
      oracle.sent(name, textOf(name), [{ maildrop, loose: false }]);
      later();
      if (answered) oracle.acknowledge(name, maildrop);
      later();
    },
    open: (messages: number, device = "phone"): Session => {
      sessions += 1;
      const askedAt = time.now;
      later();
      const name = `session ${sessions}`;
      const session = oracle.opened({ name, device, maildrop, askedAt, life: time.life, messages });
      assert.ok(session);
      later();
      return session;
    },
    octetsOf: (name: string): string => `${TRACE}${textOf(name)}`,
    quit: (session: Session, ...marked: number[]): void => {
      oracle.quitting(session, marked);
      later();
    },
  };
}

type House = ReturnType<typeof house>;

/** A session that lists these UIDLs, and reads under each the message that it is said to be. */
function look(at: House, messages: Readonly<Record<string, string>>): Session {
  const session = at.open(Object.keys(messages).length);
  at.oracle.named(session, Object.keys(messages));
  for (const [index, name] of Object.values(messages).entries()) at.oracle.read(session, index + 1, at.octetsOf(name));
  return session;
}

function breaks(promise: string, work: () => void): void {
  assert.throws(work, { name: "BrokenPromise", message: new RegExp(`^${promise}: `) });
}

describe("the oracle believes a server that keeps its word", () => {
  it("from delivery to removal, and back by undelete under a new name", () => {
    const at = house();
    at.sends("m1");
    at.sends("m2");
    const first = look(at, { "1-a": "m1", "2-b": "m2" });
    at.quit(first, 1);
    at.oracle.updated(first);
    at.oracle.ended(look(at, { "2-b": "m2" }));
    at.oracle.removals.restored(at.oracle.removals.restoring(at.maildrop));
    at.later();
    at.oracle.ended(look(at, { "2-b": "m2", "3-c": "m1" }));
    assert.deepEqual([at.oracle.acknowledged, at.oracle.removed], [2, 1]);
  });

  it("where nobody heard of the outcome", () => {
    for (const there of [true, false]) {
      const at = house();
      at.sends("m1", false);
      at.crash();
      at.oracle.ended(look(at, there ? { "1-a": "m1" } : {}));
    }
    for (const left of [{ "1-a": "m1", "2-b": "m2" }, {}]) {
      const at = house();
      at.sends("m1");
      at.sends("m2");
      const session = look(at, { "1-a": "m1", "2-b": "m2" });
      at.quit(session, 1, 2);
      at.oracle.notUpdated(session, "unanswered");
      at.crash();
      at.oracle.ended(look(at, left));
    }
  });
});

describe("the oracle catches a server that", () => {
  it("P1 loses a message that it acknowledged", () => {
    const at = house();
    at.sends("m1");
    breaks("P1", () => look(at, {}));
    const later = house();
    later.sends("m1");
    later.oracle.ended(look(later, { "1-a": "m1" }));
    later.crash();
    breaks("P1", () => look(later, {}));
  });

  it("P1 damages a message, or makes one up", () => {
    const at = house();
    at.sends("m1");
    const session = at.open(1);
    at.oracle.named(session, ["1-a"]);
    const octets = at.octetsOf("m1");
    breaks("P1", () => at.oracle.read(session, 1, octets.replace("a", "b")));
    breaks("P1", () => at.oracle.read(session, 1, octets.slice(0, -2)));
    breaks("P1", () => at.oracle.read(session, 1, at.octetsOf("m9")));
    breaks("P1", () => at.oracle.read(session, 1, `X-Sim: m1\r\n${octets}`));
  });

  it("P1 stores one delivery twice, or one that it refused", () => {
    const twice = house();
    twice.sends("m1");
    breaks("P1", () => look(twice, { "1-a": "m1", "2-b": "m1" }));
    const refused = house();
    refused.sends("m1", false);
    refused.oracle.refuse("m1", refused.maildrop);
    refused.crash();
    breaks("P1", () => look(refused, { "1-a": "m1" }));
  });

  it("P2 brings back what it removed", () => {
    const at = house();
    at.sends("m1");
    const session = look(at, { "1-a": "m1" });
    at.quit(session, 1);
    at.oracle.updated(session);
    at.crash();
    breaks("P2", () => look(at, { "1-a": "m1" }));
  });

  it("P2 removes half of what a QUIT marked", () => {
    const at = house({ disksFail: true });
    at.sends("m1");
    at.sends("m2");
    const session = look(at, { "1-a": "m1", "2-b": "m2" });
    at.quit(session, 1, 2);
    at.oracle.notUpdated(session, "refused");
    at.crash();
    breaks("P2", () => look(at, { "2-b": "m2" }));
  });

  it("P2 removes what a QUIT marked that it refused, or without any", () => {
    for (const end of ["refused", "lost"] as const) {
      const at = house();
      at.sends("m1");
      const session = look(at, { "1-a": "m1" });
      at.quit(session, 1);
      at.oracle.notUpdated(session, end);
      at.later();
      breaks("P1", () => look(at, {}));
    }
    const at = house();
    at.sends("m1");
    at.oracle.ended(look(at, { "1-a": "m1" }));
    breaks("P1", () => look(at, {}));
  });

  it("P2 forgets an account", () => {
    const at = house();
    at.later();
    breaks("P2", () => at.oracle.loginRefused(at.maildrop, 1500));
  });

  it("P3 changes a UIDL, or uses one again", () => {
    const changed = house();
    changed.sends("m1");
    changed.oracle.ended(look(changed, { "1-a": "m1" }));
    breaks("P1", () => look(changed, { "1-b": "m1" }));
    const again = house();
    again.sends("m1");
    const session = look(again, { "1-a": "m1" });
    again.quit(session, 1);
    again.oracle.updated(session);
    again.sends("m2");
    breaks("P2", () => look(again, { "1-a": "m2" }));
    const swapped = house();
    swapped.sends("m1");
    swapped.sends("m2");
    swapped.oracle.ended(look(swapped, { "1-a": "m1", "2-b": "m2" }));
    breaks("P3", () => look(swapped, { "1-a": "m2", "2-b": "m1" }));
    const restored = house();
    restored.sends("m1");
    const removing = look(restored, { "1-a": "m1" });
    restored.quit(removing, 1);
    restored.oracle.updated(removing);
    restored.oracle.removals.restored(restored.oracle.removals.restoring(restored.maildrop));
    restored.later();
    breaks("P[123]", () => look(restored, { "1-a": "m1" }));
  });

  it("P3 changes a listing within a session, or shows what came later", () => {
    const at = house();
    at.sends("m1");
    const session = look(at, { "1-a": "m1" });
    at.oracle.sized(session, [400]);
    breaks("P3", () => at.oracle.named(session, ["1-b"]));
    breaks("P3", () => at.oracle.sized(session, [401]));
    breaks("P3", () => at.oracle.read(session, 1, at.octetsOf("m1")));
    const late = house();
    const open = late.open(1);
    late.sends("m1");
    breaks("P[13]", () => late.oracle.named(open, ["1-a"]));
  });

  it("P4 has two sessions in one maildrop", () => {
    const at = house();
    at.sends("m1");
    const first = look(at, { "1-a": "m1" });
    const second = at.open(1, "desk");
    breaks("P4", () => at.oracle.answered(first, 1e6));
    at.oracle.answered(second, 1e6);
  });

  it("P4 removes for a session that was taken over", () => {
    const at = house();
    at.sends("m1");
    const first = look(at, { "1-a": "m1" });
    at.later(100_000);
    at.open(1);
    at.quit(first, 1);
    breaks("P4", () => at.oracle.updated(first));
  });

  it("P4 shows to the next session what the one before it has removed", () => {
    const at = house();
    at.sends("m1");
    const first = look(at, { "1-a": "m1" });
    at.quit(first, 1);
    const second = at.open(1, "desk");
    at.oracle.named(second, ["1-a"]);
    breaks("P4", () => at.oracle.updated(first));
  });

  it("P4 says that a maildrop is in use which nobody has", () => {
    const at = house();
    at.later(1e7);
    breaks("P4", () => at.oracle.inUse(at.maildrop, 1e7));
  });

  it("P8 lists what it cannot read", () => {
    const at = house();
    at.sends("m1");
    const session = at.open(1);
    at.oracle.named(session, ["1-a"]);
    breaks("P8", () => at.oracle.unread(session, 1, "-ERR [SYS/PERM] damaged"));
  });
});

describe("the texts of a simulation", () => {
  it("come back from the wire as they were", () => {
    for (const name of ["m1", "m2", "m3"]) {
      const content = contentOf(5, name, 3000);
      assert.equal(content, contentOf(5, name, 3000));
      assert.equal(unstuffed(stuffed(content)), content);
      assert.match(stuffed(content), /\r\n\.\r\n$/);
    }
  });
});
