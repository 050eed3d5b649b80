import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { fixtureSchemas, layOut, readFixture, type KeptMaildrop } from "../contracts/earlier/fixture.ts";
import { install, type Installation } from "./harness/installation.ts";
import { Pop3 } from "./harness/pop3.ts";
import { mustRun } from "./harness/process.ts";
import { refusedStart } from "./harness/refusal.ts";
import { repository } from "./harness/repository.ts";
import { serve, type Server } from "./harness/server.ts";

/*
 * Issue 5, "Upgrades": stores that the programs of earlier schemas made (test/contracts/earlier) are served by the real
 * server with the same UIDLs, octets and bodies, whether `store migrate` was run before or not.
 */
const options = { timeout: 120_000 };

async function installed(stack: AsyncDisposableStack, schema: number): Promise<Installation> {
  const installation = await install(stack);
  layOut(readFixture(schema), installation.data);
  return installation;
}

/** The name by which the owner of a maildrop logs in to it. */
function loginName({ address, name }: KeptMaildrop): string {
  return name === "INBOX" ? address : address.replace("@", "+junk@");
}

async function holds(server: Server, wanted: KeptMaildrop): Promise<void> {
  const tls = { tls: "implicit", ca: server.installation.ca } as const;
  await using session = await Pop3.login(server.ports.pop3s, loginName(wanted), wanted.password, tls);
  const { messages } = wanted;
  assert.deepEqual(
    await session.uidl(),
    messages.map((message) => message.uidl),
  );
  assert.deepEqual(
    await session.list(),
    messages.map((message) => message.octets),
  );
  assert.equal((await session.stat()).messages, messages.length);
  const bodies = await session.retrieveAll();
  assert.deepEqual(
    bodies.map((body) => createHash("sha256").update(body).digest("hex")),
    messages.map((message) => message.sha256),
  );
  await session.quit();
}

/** The same by Python's poplib: the octets of a few messages. */
async function fetchedByPoplib(server: Server, wanted: KeptMaildrop): Promise<void> {
  const { folder, tls } = server.installation;
  const program = path.join(repository, "test", "e2e", "programs", "fetch-poplib.py");
  const numbers = wanted.messages.map((_, index) => String(index + 1));
  const to = path.join(folder, "fetched");
  mkdirSync(to);
  const words = [String(server.ports.pop3s), "implicit", tls.certificate, wanted.address, wanted.password, to];
  await mustRun("python3", [program, ...words, ...numbers]);
  const digests = numbers.map((number) =>
    createHash("sha256")
      .update(readFileSync(path.join(to, number)))
      .digest("hex"),
  );
  assert.deepEqual(
    digests,
    wanted.messages.map((message) => message.sha256),
  );
}

for (const schema of fixtureSchemas()) {
  for (const how of ["after store migrate", "by a start alone"]) {
    test(`P1 P3 a store of schema ${schema} is served as it was, ${how}`, options, async () => {
      await using stack = new AsyncDisposableStack();
      const installation = await installed(stack, schema);
      if (how === "after store migrate") {
        const said = JSON.parse((await installation.mustCli(["store", "migrate", "--json"])).text) as { from: number };
        assert.equal(said.from, schema);
      }
      const { maildrops } = readFixture(schema);
      const server = await serve(stack, installation);
      for (const maildrop of maildrops) await holds(server, maildrop);
      const [first] = maildrops;
      assert.ok(first);
      await fetchedByPoplib(server, first);
      const { text } = await installation.mustCli(["store", "migrate"]);
      assert.match(text, /nothing to do/);
      await server.stop();
    });
  }
}

test(
  "a store of a later program is refused by serve and by commands, in words, and is left alone",
  options,
  async () => {
    await using stack = new AsyncDisposableStack();
    const schema = Math.max(...fixtureSchemas());
    const installation = await installed(stack, schema);
    await installation.mustCli(["store", "migrate"]);
    const file = path.join(installation.data, "mailkeep.db");
    const inDatabase = (statement: string): unknown => {
      using database = new DatabaseSync(file);
      return database.prepare(statement).all();
    };
    inDatabase("update schema_version set version = version + 1000");
    const before = inDatabase("select * from message");
    assert.match(await refusedStart(installation), /schema 100\d, this program knows up to \d+.*or a later one/s);
    for (const words of [
      ["store", "migrate"],
      ["user", "list"],
    ]) {
      const end = await installation.cli(words);
      assert.equal(end.code, 1);
      assert.match(end.stderr, /this program knows up to \d/);
    }
    assert.deepEqual(inDatabase("select * from message"), before);
    inDatabase("update schema_version set version = version - 1000");
    const server = await serve(stack, installation);
    for (const maildrop of readFixture(schema).maildrops) await holds(server, maildrop);
    await server.stop();
  },
);
