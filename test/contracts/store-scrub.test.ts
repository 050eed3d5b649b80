import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, it } from "node:test";
import { systemClock } from "../../src/lib/clock.ts";
import type { Uid } from "../../src/model/ids.ts";
import { recordingLog, testMetrics } from "../../src/observe/testing.ts";
import { systemDisk } from "../../src/store/disk.ts";
import { layoutOf } from "../../src/store/layout.ts";
import type { Finding, ScrubState } from "../../src/store/scrub/report.ts";
import { newScrub } from "../../src/store/scrub/report.ts";
import { scrubStore } from "../../src/store/scrub/scrub.ts";
import { createScrubber } from "../../src/store/scrub/scrubber.ts";
import type { ScrubParts } from "../../src/store/scrub/walk.ts";
import { compileStatement } from "../../src/store/sql/compile.ts";
import { openForReading } from "../../src/store/sql/sqlite.ts";
import { openInThread } from "./store-adapters.ts";
import { assertConsistent } from "./store-consistency.ts";
import {
  addAccounts,
  content,
  deliver,
  deliverMany,
  deliveryOf,
  memoryBody,
  must,
  uidls,
  uids,
} from "./store-world.ts";

const quiet = { progress: () => undefined, signal: new AbortController().signal };
const FAST = 1024 ** 3;

/** A store with mail of two people, and its scrubber. */
async function world() {
  const under = await openInThread();
  const [ann, bob] = await addAccounts(under.store, "ann", "bob");
  assert.ok(ann && bob);
  await deliverMany(under.store, ann, 5);
  must(await under.store.mail.append(deliveryOf(memoryBody(under.store, ".shared\r\n"), ann, bob)));
  const spool = await under.store.bodies.spool();
  await spool.write(Buffer.from("large\r\n"));
  must(await under.store.mail.append(deliveryOf(await spool.finish(Buffer.from("Head: 1\r\n")), bob)));
  const { log, events } = recordingLog();
  const { metrics, sample } = testMetrics();
  const scrubber = () =>
    createScrubber({ folder: under.folder, scrub: under.store.scrub, log, metrics, clock: systemClock });
  const scrub = async (repair = false): Promise<ScrubState> => {
    const request = { repair, octetsPerSecond: FAST, restart: true };
    return must(await scrubber().store(request, quiet)).state;
  };
  /** The same in this thread, which is sooner there. */
  const look = async (repair: boolean): Promise<ScrubState> => {
    using sql = openForReading(layoutOf(under.folder).database, compileStatement);
    const parts: ScrubParts = {
      sql,
      disk: systemDisk,
      layout: layoutOf(under.folder),
      ...systemClock,
      request: { repair, octetsPerSecond: FAST },
      ...quiet,
      mend: async (mend) => must(await under.store.scrub.mend(mend)),
      note: async () => undefined,
      tell: () => undefined,
    };
    return await scrubStore(parts, newScrub(systemClock.now()));
  };
  const rot = (...statements: string[]): void => {
    using sql = new DatabaseSync(path.join(under.folder, "mailkeep.db"));
    sql.exec("pragma foreign_keys = off");
    for (const statement of statements) sql.exec(statement);
  };
  const file = (name: string): string => path.join(under.folder, "bodies", name);
  return {
    under,
    ann,
    bob,
    scrub,
    look,
    scrubber,
    rot,
    file,
    events,
    sample,
    [Symbol.asyncDispose]: () => under[Symbol.asyncDispose](),
  };
}

function told(state: ScrubState): string[] {
  return state.findings.map(({ kind, address = "", uidl = "", mended }: Finding) =>
    [kind, address.split("@")[0], uidl.split("-")[0], mended ? "mended" : ""].filter((word) => word !== "").join(" "),
  );
}

function flip(file: string, at: number): void {
  const octets = fs.readFileSync(file);
  octets[at] = (octets[at] ?? 0) ^ 4;
  fs.writeFileSync(file, octets);
}

describe("scrub", () => {
  it("finds nothing in a store that is well, and counts what it looked at", async () => {
    await using at = await world();
    must(
      await at.under.store.mail.expunge(at.ann.inbox, Uint32Array.of(2), {
        session: "",
        device: "",
        peer: "",
        kind: "removed",
        keep: true,
      }),
    );
    const state = await at.scrub();
    assert.deepEqual([state.stage, state.found, state.messages, state.bodies], ["end", 0, 7, 7]);
    assert.deepEqual((await at.under.store.scrub.scrubs()).last, state);
    assert.equal((await at.under.store.scrub.scrubs()).current, undefined);
    assert.equal(at.sample("mailkeep_scrub_findings"), 0);
    assert.ok((at.sample("mailkeep_scrub_ended_seconds") ?? 0) > 1e9);
    assert.deepEqual(
      at.events.map(({ event }) => event),
      ["scrub.done"],
    );
  });

  it("names each message whose octets are not what was delivered, and changes nothing of it", async () => {
    await using at = await world();
    flip(at.file("segments/00000001"), 64 + 3);
    flip(at.file("files/07/7"), fs.statSync(at.file("files/07/7")).size - 2);
    for (const repair of [false, true]) {
      const state = await at.scrub(repair);
      assert.deepEqual(told(state), ["damaged ann 1", "damaged bob 2"]);
      assert.equal(state.mended, 0);
    }
    fs.rmSync(at.file("files/07/7"));
    flip(at.file("segments/00000001"), 64 + 3);
    fs.truncateSync(at.file("segments/00000001"), fs.statSync(at.file("segments/00000001")).size - 1);
    assert.deepEqual(told(await at.scrub(true)), ["damaged ann 6", "damaged bob 1", "missing bob 2"]);
    assert.equal(at.sample("mailkeep_scrub_found_total"), 7);
    assert.deepEqual(await uids(at.under.store, at.ann.inbox), [1, 2, 3, 4, 5, 6]);
  });

  it("mends what one bit did to rows, for their checksums tell which it was", async () => {
    for (const [change, kind] of [
      ["update message set octets = octets + 64 where uid = 3", "row ann 3"],
      ["update message set uidl_tag = (uidl_tag | 8) - (uidl_tag & 8) where uid = 3", "row ann 3"],
      ["update message set received = (received | 1048576) - (received & 1048576) where uid = 3", "row ann 3"],
      ["update message set body = body + 8 where uid = 3", "row ann 3"],
      ['update body set "offset" = "offset" + 1024 where id = 3', "body-row ann 3"],
      ["update body set octets = octets + 32 where id = 3", "body-row ann 3"],
      ["update body set crc32 = (crc32 | 65536) - (crc32 & 65536) where id = 3", "body-row ann 3"],
      ["update body set segment = segment + 4 where id = 3", "body-row ann 3"],
      ["update body set sha256 = unhex('07' || substr(hex(sha256), 3)) where id = 3", "body-row ann 3"],
      ['update body set "sum" = 1 where id = 3', "body-row ann 3"],
      ["update body set dotted = 0 where id = 6", "body-row ann 6"],
      ["update body set refs = 6 where id = 6", "body-row ann 6"],
      ["update segment set live = live + 512 where id = 1", "segment"],
      ["update mailbox set messages = 4 where id = 1", "counters ann"],
      ["update mailbox set octets = octets + 2 where id = 1", "counters ann"],
      ["update mailbox set next_uid = 3 where id = 1", "counters ann"],
      ["update mailbox set removed_octets = 2 where id = 1", "counters ann"],
      ['update mailbox set "sum" = 0 where id = 1', "counters ann"],
    ] as const) {
      await using at = await world();
      const before = await uidls(at.under.store, at.ann.inbox);
      at.rot(change);
      const found = await at.look(false);
      assert.ok(
        told(found).some((line) => line.startsWith(kind)),
        `${change}: ${told(found).join(", ")}`,
      );
      assert.equal(found.mended, 0);
      const mended = await at.look(true);
      assert.equal(mended.mended, mended.found, `${change}: ${JSON.stringify(mended.findings)}`);
      assert.deepEqual(told(await at.look(false)), [], change);
      assertConsistent(at.under.folder);
      assert.deepEqual(await uidls(at.under.store, at.ann.inbox), before);
      for (const uid of [1, 2, 3, 4, 5, 6] as Uid[]) await content(at.under.store, at.ann.inbox, uid);
      assert.equal(await deliver(at.under.store, at.ann, "new\r\n"), 7, change);
    }
  });

  it("mends no figure while rows are damaged: what nobody seems to have may be theirs", async () => {
    await using at = await world();
    at.rot("update message set body = 999, octets = 1 where uid = 3", "update mailbox set messages = 4 where id = 1");
    const state = await at.scrub(true);
    assert.deepEqual(told(state), ["row ann 3", "counters ann", "references"]);
    assert.equal(state.mended, 0);
    await assert.rejects(at.under.store.mail.snapshot(at.ann.inbox), { kind: "damaged" });
    assert.equal(fs.existsSync(at.file("segments/00000001")), true);
  });

  it("removes files that no row covers, when it is told to, and those alone", async () => {
    await using at = await world();
    fs.mkdirSync(at.file("files/2c"), { recursive: true });
    fs.writeFileSync(at.file("files/2c/300"), "left by a crash");
    fs.writeFileSync(at.file("segments/00000000"), "left by a crash");
    fs.writeFileSync(at.file("files/2c/note"), "somebody's");
    assert.deepEqual(told(await at.scrub()), ["orphan", "orphan"]);
    assert.deepEqual(told(await at.scrub(true)), ["orphan mended", "orphan mended"]);
    await at.under.store.upkeep.state();
    assert.deepEqual(told(await at.scrub()), []);
    assert.deepEqual(fs.readdirSync(at.file("files/2c")), ["note"]);
    await content(at.under.store, at.bob.inbox, 2 as Uid);
    at.rot("delete from message where body = 4", "delete from body where id = 7");
    const state = await at.scrub(true);
    assert.deepEqual(told(state).toSorted(), [
      "counters ann mended",
      "no-body bob 2",
      "orphan bob 2",
      "references mended",
    ]);
    assert.equal(fs.existsSync(at.file("files/07/7")), true, "what a message still names stays");
  });

  it("goes on where it was told to stop, and begins anew when it is asked to", async () => {
    await using at = await world();
    flip(at.file("segments/00000001"), 64 + 3);
    const stopping = new AbortController();
    // Slow enough that it is in the middle of the bodies when it is told.
    const request = { repair: false, octetsPerSecond: 2000, restart: false };
    const scrubber = at.scrubber();
    const first = scrubber.store(request, {
      progress: ({ done }) => done > 0 && stopping.abort(),
      signal: stopping.signal,
    });
    assert.deepEqual(await scrubber.store(request, quiet), { ok: false, error: "busy" });
    assert.deepEqual(await first, { ok: false, error: "stopped" });
    const { current } = await at.under.store.scrub.scrubs();
    assert.equal(current?.stage, "bodies");
    assert.deepEqual([current.messages, current.found], [8, 1]);
    const second = must(await scrubber.store({ ...request, octetsPerSecond: FAST }, quiet));
    assert.deepEqual(
      [second.resumed, second.state.messages, second.state.bodies, told(second.state)],
      [true, 8, 7, ["damaged ann 1"]],
    );
    const third = must(await scrubber.store({ ...request, octetsPerSecond: FAST }, quiet));
    assert.equal(third.resumed, false);
  });

  it("looks at one person's mail alone, octets and all, and mends nothing", async () => {
    await using at = await world();
    flip(at.file("segments/00000001"), 64 + 3);
    flip(at.file("files/07/7"), fs.statSync(at.file("files/07/7")).size - 2);
    at.rot("update message set octets = octets + 64 where mailbox = 1 and uid = 3");
    const request = { octetsPerSecond: FAST, mailboxes: [at.ann.inbox, at.ann.junk] };
    const { state } = must(await at.scrubber().maildrops(request, quiet));
    assert.deepEqual(told(state), ["damaged ann 1", "row ann 3", "counters ann"]);
    assert.deepEqual([state.messages, state.mended], [6, 0]);
    assert.deepEqual(await at.under.store.scrub.scrubs(), {});
  });

  it("tells of damaged pages, and looks at all that can still be read", async () => {
    await using at = await world();
    await deliverMany(at.under.store, at.ann, 2000);
    flip(at.file("segments/00000001"), 64 + 3);
    await at.under.reopen();
    const database = path.join(at.under.folder, "mailkeep.db");
    await at.under.store.upkeep.state();
    using sql = new DatabaseSync(database);
    sql.exec("pragma wal_checkpoint(truncate)");
    const pages = sql
      .prepare("select pageno from dbstat where name = 'message' and pagetype = 'leaf'")
      .all()
      .map((row) => Number(row["pageno"]));
    const octets = Buffer.alloc(4096, 0x55);
    const handle = fs.openSync(database, "r+");
    fs.writeSync(handle, octets, 0, octets.length, ((pages[3] ?? 0) - 1) * 4096);
    fs.closeSync(handle);
    const state = await at.scrub(true);
    assert.ok(state.findings.some(({ kind, address }) => kind === "database" && address === undefined));
    assert.ok(state.findings.some(({ kind, address }) => kind === "database" && address === at.ann.address));
    assert.ok(told(state).includes("damaged"));
    assert.equal(state.mended, 0);
    assert.ok(state.messages > 1800, `${state.messages} messages were looked at`);
  });
});
