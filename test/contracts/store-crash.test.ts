import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { crc32 } from "node:zlib";
import type { MailboxId, Uid } from "../../src/model/ids.ts";
import { uidl } from "../../src/model/message.ts";
import type { Store } from "../../src/store/ports.ts";
import { openInThread, temporaryFolder } from "./store-adapters.ts";
import { assertConsistent } from "./store-consistency.ts";
import { content } from "./store-world.ts";

type Entry = { readonly crc: number; state: "stored" | "removing" | "removed"; uidl?: string };

/** What a killed process had acknowledged, by mailbox and uid. */
class Ledger {
  readonly entries = new Map<string, Entry>();

  take(line: string): void {
    const [verb = "", mailbox = "", uid = "", crc = ""] = line.split(" ");
    const key = `${mailbox} ${uid}`;
    const entry = this.entries.get(key);
    if (verb === "stored") {
      assert.equal(entry, undefined, `${key} is not given twice`);
      this.entries.set(key, { crc: Number(crc), state: "stored" });
    } else if (entry !== undefined) {
      entry.state = verb === "removing" ? "removing" : "removed";
    }
  }

  async compare(store: Store): Promise<number> {
    let kept = 0;
    for (const [key, entry] of this.entries) {
      const [mailbox, uid] = key.split(" ").map(Number) as [MailboxId, Uid];
      const page = await store.mail.listPage(mailbox, uid - 1, uid, 1);
      const there = page.messages === 1;
      if (entry.state !== "removing") assert.equal(there, entry.state === "stored", `${key} is ${entry.state}`);
      if (!there) continue;
      assert.equal(crc32(await content(store, mailbox, uid)), entry.crc, `the octets of ${key}`);
      entry.uidl ??= uidl(uid, page.tags[0] ?? 0);
      assert.equal(uidl(uid, page.tags[0] ?? 0), entry.uidl, `the UIDL of ${key}`);
      kept += 1;
    }
    return kept;
  }
}

async function runUntilKilled(folder: string, run: number, lines: number, ledger: Ledger): Promise<void> {
  const script = fileURLToPath(new URL("./store-crash-child.ts", import.meta.url));
  const child = spawn(process.execPath, [script, folder, String(run)], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(child, "exit");
  let heard = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    ledger.take(line);
    heard += 1;
    if (heard === lines) child.kill("SIGKILL");
  }
  assert.deepEqual(await ended, [null, "SIGKILL"]);
}

describe("a process that is killed", () => {
  it("P1 P2 P3 P8: has lost nothing that was acknowledged and brings nothing back that was removed", async () => {
    using temporary = temporaryFolder();
    const { folder } = temporary;
    const ledger = new Ledger();
    for (const [run, lines] of [60, 333, 700].entries()) {
      await runUntilKilled(folder, run, lines, ledger);
      await using under = await openInThread({ folder });
      const kept = await ledger.compare(under.store);
      assert.ok(kept > 0, "something was kept");
      assertConsistent(folder);
    }
  });
});
