import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, describe, it } from "node:test";
import { flip } from "../measure/rot/flips.ts";
import { furnish, layOut, type House } from "../measure/rot/house.ts";
import { fetchAll, look } from "../measure/rot/look.ts";
import { addressOf, passwordOf } from "./harness/installation.ts";
import { run } from "./harness/process.ts";
import { launch, serve, type Server } from "./harness/server.ts";
import { Smtp } from "./harness/smtp.ts";

/*
 * Issue 5, "Rot": octets that are changed behind the server's back, met by programs that nobody here wrote and by a client
 * that trusts nothing. What comes whole is what was delivered, what is damaged stays, and all other mail works.
 */
const options = { timeout: 300_000 };
const HEAD_OCTETS = 64;
const PAGE_OCTETS = 4096;

describe("rot", options, () => {
  let stack: AsyncDisposableStack;
  let house: House;
  before(async () => {
    stack = new AsyncDisposableStack();
    house = await furnish(stack);
  });
  after(() => stack.disposeAsync());

  type Body = { segment: number | null; offset: number; octets: number; id: number };

  /** Where ann's nth message lies. */
  function bodyOf(data: string, number: number): Body {
    using sql = new DatabaseSync(path.join(data, "mailkeep.db"), { readOnly: true });
    const text = `select body.* from message join body on body.id = message.body join mailbox on mailbox.id = message.mailbox
      join account on account.id = mailbox.account where address = ? and mailbox.name = 'INBOX' and uid = ?`;
    return sql.prepare(text).get(addressOf("ann"), number) as unknown as Body;
  }

  function fileOf({ segment, id }: Body): string {
    return segment === null
      ? `bodies/files/${(id % 256).toString(16).padStart(2, "0")}/${id}`
      : `bodies/segments/${segment.toString(16).padStart(8, "0")}`;
  }

  const large = () => house.truth.get("ann")?.length ?? 0;

  it("P2: of a body keeps its message from being had and deleted, and no other; scrub names it", async (t) => {
    const data = layOut(house, "stopped");
    await using running = new AsyncDisposableStack();
    const server = await serve(running, house.installation);
    for (const [what, number, at] of [
      ["a body in a segment", 2, 40],
      ["a body's head", 2, -HEAD_OCTETS + 9],
      ["a file of its own", large(), 600_000],
    ] as const) {
      await t.test(what, async () => {
        const body = bodyOf(data, number);
        const bit = { place: "segment", file: fileOf(body), at: body.offset + at, bit: 3 } as const;
        flip(data, bit);
        const told = server.events("store.damaged").length;
        const seen = await fetchAll(server, "ann", house.truth.get("ann") ?? []);
        assert.ok(seen.refused === undefined);
        assert.deepEqual(
          seen.messages.flatMap((each, index) => (each === "good" ? [] : [index + 1])),
          [number],
        );
        await server.event("store.damaged", 5, told);
        assert.match(await metrics(server), /^mailkeep_store_damaged_total [1-9]/m);
        await othersKnowBetter(server, number);
        const scrub = await house.installation.cli(["maildrop", "scrub", addressOf("ann"), "--rate", "1000"]);
        assert.equal(scrub.code, 1);
        assert.match(scrub.text, /^ann@e2e\.test .* its octets are not what was delivered +no$/m);
        flip(data, bit);
      });
    }
    for (const user of house.truth.keys()) await look(server, user, house.truth.get(user) ?? []);
  });

  /** poplib and curl do not take it for mail either. */
  async function othersKnowBetter(server: Server, number: number): Promise<void> {
    const script = `import poplib
client = poplib.POP3("127.0.0.1", ${server.ports.pop3}, timeout=30)
client.user("${addressOf("ann")}")
client.pass_("${passwordOf("ann")}")
try:
    client.retr(${number})
    print("taken for mail")
except (poplib.error_proto, EOFError, OSError):
    print("known to be none")`;
    assert.equal((await run("python3", ["-c", script])).text, "known to be none\n");
    const url = `pop3://127.0.0.1:${server.ports.pop3}/${number}`;
    const curl = await run("curl", ["-s", "-u", `${addressOf("ann")}:${passwordOf("ann")}`, url]);
    assert.notEqual(curl.code, 0, "curl says that it has not got it");
  }

  it("P2: of a whole segment takes its mail away from nobody but those whose it was, and is no empty maildrop", async (t) => {
    for (const [what, spoil] of [
      ["truncated", (file: string) => fs.truncateSync(file, Math.floor(fs.statSync(file).size / 2))],
      ["missing", (file: string) => fs.rmSync(file)],
    ] as const) {
      await t.test(what, async () => {
        const data = layOut(house, "stopped");
        spoil(path.join(data, fileOf(bodyOf(data, 2))));
        await using running = new AsyncDisposableStack();
        const server = await serve(running, house.installation);
        let spoilt = 0;
        for (const [user, kept] of house.truth) {
          const seen = await look(server, user, kept);
          assert.ok(seen.refused === undefined);
          spoilt += seen.messages.filter((each) => each !== "good").length;
          assert.equal(seen.messages.at(-1), "good", "what lies in a file of its own");
        }
        assert.ok(spoilt > 0, "mail lay in what is gone");
        assert.equal(await deliverTo(server, "ann"), 250, "new mail is taken all the same");
      });
    }
  });

  it("P2: of a page of the database is told as damage, whichever page it is", async (t) => {
    const pages = pagesOf(layOut(house, "stopped"));
    for (const [name, page] of pages)
      for (const how of ["stopped", "killed", "running"] as const) {
        await t.test(`${name}, ${how}`, () => pageOfGarbage(page, how, name));
      }
  });

  /** A page of each table and index that mail depends on. */
  function pagesOf(data: string): readonly (readonly [string, number])[] {
    using sql = new DatabaseSync(path.join(data, "mailkeep.db"), { readOnly: true });
    const rows = sql.prepare("select name, min(pageno) as page from dbstat where ncell > 0 group by name").all();
    const wanted = ["message", "mailbox", "body", "account", "segment", "sqlite_autoindex_account_1", "sqlite_schema"];
    return rows.flatMap(({ name, page }) =>
      wanted.includes(String(name)) ? [[String(name), Number(page)] as const] : [],
    );
  }

  async function pageOfGarbage(page: number, how: "stopped" | "killed" | "running", name: string): Promise<void> {
    const data = layOut(house, how === "killed" ? "killed" : "stopped");
    const database = path.join(data, "mailkeep.db");
    const write = (): void => {
      const file = fs.openSync(database, "r+");
      fs.writeSync(file, Buffer.alloc(PAGE_OCTETS, 0xa5), 0, PAGE_OCTETS, (page - 1) * PAGE_OCTETS);
      fs.closeSync(file);
    };
    await using running = new AsyncDisposableStack();
    let server: Server;
    if (how === "running") {
      server = await serve(running, house.installation);
      write();
    } else {
      write();
      server = launch(running, house.installation);
      const ready = await Promise.race([
        server.event("server.ready", 30).then(
          () => true,
          () => false,
        ),
        server.ended.then(() => false),
      ]);
      if (!ready) {
        assert.equal((await server.ended).code, 1);
        assert.match(
          server.output,
          /cannot be opened: .*(?:damaged|malformed|not a database).* Restore the folder from a backup/,
        );
        return;
      }
    }
    for (const [user, kept] of house.truth) {
      // Without its first page a database is none: once a removal has written to it, whatever asks next is told so.
      const seen = await (name === "sqlite_schema" ? fetchAll : look)(server, user, kept);
      // What a crash left is looked at whole before a start: it came up because the log had that page, and wrote it again.
      if (how === "killed")
        assert.ok(seen.refused === undefined && seen.messages.every((each) => each === "good"), user);
    }
    const code = await deliverTo(server, "ann");
    assert.ok(code === 250 || code === 451, `${name}: a sender was answered ${code}`);
  }

  async function deliverTo(server: Server, user: string): Promise<number> {
    await using session = await Smtp.open(server.ports.smtp);
    await session.must("MAIL FROM:<a@elsewhere.example>", 250);
    const rcpt = await session.command(`RCPT TO:<${addressOf(user)}>`);
    if (rcpt.code !== 250) return rcpt.code;
    await session.must("RSET", 250);
    const [reply] = await session.data(
      "a@elsewhere.example",
      [addressOf(user)],
      Buffer.from("Subject: new\r\n\r\nnew\r\n"),
    );
    return reply?.code ?? 0;
  }

  async function metrics(server: Server): Promise<string> {
    return (await fetch(`http://127.0.0.1:${server.ports.http}/metrics`)).text();
  }
});
