import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { NO_ACTOR } from "../../src/model/history.ts";
import type { AccountId, MailboxId, Uid } from "../../src/model/ids.ts";
import { delivery, writerWorld } from "./writer-world.ts";

type World = Awaited<ReturnType<typeof writerWorld>>;

const TABLES = ["account", "app_password", "body", "history", "high_water", "known_place", "mailbox", "message"];
const ALL = [...TABLES, "removal", "removed", "segment"];
const inbox = 1 as MailboxId;
const ann = 1 as AccountId;
const cause = { session: "s", device: "phone", peer: "192.0.2.7", kind: "removed", keep: true } as const;
const transfer = { ...cause, account: ann, mailbox: inbox, uid: 1 as Uid, at: 1, kind: "sent", octets: 9 } as const;
const password = { account: ann, name: "x", digest: Uint8Array.of(1), scram: Uint8Array.of(2), scopes: [], created: 1 };
const place = { account: ann, place: "192.0.2.0/24", last: 7 };

// Each with the steps at which it is made to fail.
const verbs: Record<string, { run: (at: World) => Promise<{ readonly ok: boolean }>; steps: readonly string[] }> = {
  "expunge that keeps": {
    run: ({ store }) => store.expunge(inbox, Uint32Array.of(3, 4), cause),
    steps: ["insert on removed", "delete on message", "update on mailbox", "update on high_water", "insert on history"],
  },
  "expunge for good": {
    run: ({ store }) => store.expunge(inbox, Uint32Array.of(3, 4), { ...cause, keep: false }),
    steps: ["delete on message", "update on body", "delete on body", "update on segment", "insert on history"],
  },
  restore: {
    run: ({ store }) => store.restore(inbox, {}, NO_ACTOR),
    steps: ["delete on removed", "insert on message", "update on mailbox", "insert on history"],
  },
  erase: {
    run: ({ store }) => store.erase(1e15),
    steps: ["delete on removed", "update on mailbox", "delete on body", "update on segment", "insert on history"],
  },
  forget: {
    run: ({ store }) => store.forget({ history: 1e15, places: 1e15 }),
    steps: ["delete on history", "delete on known_place"],
  },
  note: {
    run: ({ store }) => store.note([transfer, { ...transfer, session: "t" }]),
    steps: ["update on high_water", "insert on history"],
  },
  addAppPassword: {
    run: ({ store }) => store.addAppPassword({ ...password, noDelete: false, expires: null }),
    steps: ["update on high_water", "insert on app_password"],
  },
  removeAccount: {
    run: ({ store }) => store.removeAccount("ann@example.test" as never),
    steps: ALL.filter((table) => !["high_water", "removal", "segment"].includes(table)).map((on) => `delete on ${on}`),
  },
};

/** Ann with two messages, two that were removed, and one of everything else. */
async function world(): Promise<World> {
  const at = await writerWorld();
  for (const text of ["one", "two", "three", "four"]) await at.store.append(delivery(text));
  await at.store.expunge(inbox, Uint32Array.of(1, 2), cause);
  await at.store.addAppPassword({ ...password, name: "phone", noDelete: true, expires: null });
  await at.store.noteKnownPlaces([place]);
  return at;
}

function everything({ sql }: World): unknown {
  return ALL.map((table) => [table, sql.query(`select * from ${table}`)]);
}

describe("a call that fails in the middle", () => {
  for (const [name, { run, steps }] of Object.entries(verbs)) {
    it(`leaves nothing half done: ${name}`, async () => {
      await using at = await world();
      const before = everything(at);
      for (const step of steps) {
        at.sql.query(`create temp trigger broken before ${step} begin select raise(abort, 'broken'); end`);
        const [outcome, beside] = await Promise.all([run(at), at.store.addDomain("beside.test" as never, 1)]);
        at.sql.query("drop trigger broken");
        assert.deepEqual(outcome, { ok: false, error: "failed" }, step);
        assert.deepEqual(everything(at), before, step);
        assert.equal(beside.ok, true, "the others of its group are done");
        await at.store.removeDomain("beside.test" as never);
      }
      assert.equal((await run(at)).ok, true);
      assert.notDeepEqual(everything(at), before);
    });
  }
});
