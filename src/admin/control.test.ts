import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, linkSync, mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { parseAddress } from "../model/address.ts";
import { findServer } from "./control-client.ts";
import { serveControl } from "./control.ts";
import { testServices, type TestServices } from "./testing.ts";

let world: TestServices;
before(async () => {
  world = await testServices();
  assert.ok((await world.store.directory.addDomain("a.example" as never, 0)).ok);
});
after(() => world[Symbol.asyncDispose]());

let folders = 0;
function freshFolder(name = ""): string {
  folders += 1;
  const folder = path.join(world.folder, `f${folders}`, name);
  mkdirSync(folder, { recursive: true });
  return folder;
}

async function running(folder = freshFolder()) {
  const control = await serveControl({ folder, services: world.services });
  return { folder, [Symbol.asyncDispose]: () => control[Symbol.asyncDispose]() };
}

async function serverOf(folder: string) {
  const found = await findServer(folder);
  assert.ok(found.ok);
  return found.value;
}

/** Sends raw octets and gives what comes back until the server closes. */
async function talk(folder: string, ...pieces: readonly (string | Buffer)[]): Promise<string> {
  const socket = connect(path.join(folder, "control.sock"));
  let answer = "";
  socket.setEncoding("utf8").on("data", (text: string) => (answer += text));
  // The server may have closed before all of it was sent.
  socket.on("error", () => undefined);
  const closed = once(socket, "close");
  for (const piece of pieces) socket.write(piece);
  await closed;
  return answer;
}

describe("the control socket", () => {
  it("does what is asked and answers with the same values as here", async () => {
    await using server = await running();
    const admin = await serverOf(server.folder);
    const added = await admin.call("user.add", { address: "李雷@A.example", password: "pass,wörd" });
    assert.deepEqual(added, { ok: true, value: { address: "李雷@a.example" } });
    const shown = await admin.call("user.show", { address: "李雷@a.example" });
    assert.ok(shown.ok && shown.value.enabled);
    assert.deepEqual(await admin.call("user.show", { address: "x@a.example" }), {
      ok: false,
      error: { code: "unknown-user", subject: "x@a.example" },
    });
  });

  it("cuts the session of a user who is disabled", async () => {
    await using server = await running();
    const admin = await serverOf(server.folder);
    assert.ok((await admin.call("user.add", { address: "cut@a.example", password: "x" })).ok);
    const address = parseAddress("cut@a.example");
    assert.ok(address.ok);
    const account = await world.store.directory.account(address.value);
    assert.ok(account);
    const lost = Promise.withResolvers<void>();
    assert.ok((await world.store.leases.acquire(account.inbox, { waitMs: 0 }, lost.resolve)).ok);
    assert.ok((await admin.call("user.disable", { address: "cut@a.example" })).ok);
    await lost.promise;
  });

  it("tells a server that says nothing from one that is gone", async () => {
    const folder = freshFolder();
    const stopped = createServer();
    stopped.listen(path.join(folder, "control.sock"));
    await once(stopped, "listening");
    const admin = await findServer(folder, 50);
    assert.ok(admin.ok);
    const result = await admin.value.call("domain.list", {});
    assert.deepEqual(result, { ok: false, error: { code: "silent", subject: "domain.list" } });
    stopped.close();
  });

  it("belongs to its owner alone, leaves nothing behind, and is gone with its server", async () => {
    const folder = freshFolder();
    {
      await using server = await running(folder);
      assert.equal(server.folder, folder);
      assert.deepEqual(readdirSync(folder), ["control.sock"]);
      assert.equal(statSync(path.join(folder, "control.sock")).mode & 0o777, 0o600);
    }
    assert.deepEqual(readdirSync(folder), []);
    assert.deepEqual(await findServer(folder), { ok: false, error: "absent" });
    assert.deepEqual(await findServer(path.join(folder, "gone")), { ok: false, error: "absent" });
  });

  it("takes the place of the socket that a killed server left", async () => {
    const folder = freshFolder();
    // A socket file without a listener, as SIGKILL leaves it; and the nursery of one killed even earlier.
    const left = createServer().listen(path.join(folder, "bound"));
    await once(left, "listening");
    linkSync(path.join(folder, "bound"), path.join(folder, "control.sock"));
    left.close();
    await once(left, "close");
    mkdirSync(path.join(folder, "control.new"));
    writeFileSync(path.join(folder, "control.new", "s"), "");
    assert.deepEqual(await findServer(folder), { ok: false, error: "absent" });
    await using server = await running(folder);
    const admin = await serverOf(server.folder);
    assert.ok((await admin.call("domain.list", {})).ok);
  });

  it("works in a folder whose path is longer than a socket address", async () => {
    const folder = freshFolder(path.join("x".repeat(100), "y".repeat(100)));
    await using server = await running(folder);
    const admin = await serverOf(server.folder);
    assert.ok((await admin.call("domain.list", {})).ok);
    assert.ok(existsSync(path.join(folder, "control.sock")));
  });
});

describe("an import over the control socket", () => {
  const hash = "{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=";

  it("goes in parts when it is long", async () => {
    await using server = await running();
    const admin = await serverOf(server.folder);
    const filler = "x".repeat(900);
    const entries = Array.from({ length: 2500 }, (_, index) => ({
      line: index + 1,
      address: index === 2499 ? `${filler}@a.example` : `p${index}@a.example`,
      secret: index < 1500 ? hash : `{SHA}${filler}`,
    }));
    const refused = await admin.call("user.import", { entries });
    assert.ok(!refused.ok);
    assert.equal(refused.error.problems?.length, 1001);
    const taken = await admin.call("user.import", { entries: entries.slice(0, 1500) });
    assert.deepEqual(taken, { ok: true, value: { added: 1500 } });
  });

  it("tells how far it is, and stops before its commit when the client goes", async () => {
    await using server = await running();
    const admin = await serverOf(server.folder);
    const entries = Array.from({ length: 40 }, (_, index) => ({
      line: index + 1,
      address: `stop${index}@a.example`,
      secret: "{PLAIN}x",
    }));
    const gone = new AbortController();
    const first = Promise.withResolvers<number>();
    const result = await admin.call(
      "user.import",
      { entries },
      {
        signal: gone.signal,
        progress: ({ total }) => {
          first.resolve(total);
          gone.abort();
        },
      },
    );
    assert.equal(await first.promise, 40);
    assert.deepEqual(result, { ok: false, error: { code: "gone", subject: "user.import" } });
    // The server is done with it once it can be closed: only then is it sure that nobody was added.
    await server[Symbol.asyncDispose]();
    const address = parseAddress("stop0@a.example");
    assert.ok(address.ok);
    assert.equal(await world.store.directory.account(address.value), undefined);
  });
});

describe("a client that is none of ours", () => {
  it("is answered once and closed, whatever it says", async () => {
    await using server = await running();
    const cases: readonly (readonly [readonly (string | Buffer)[], RegExp])[] = [
      [["hello\n"], /^\{"ok":false,"error":\{"code":"bad-input"/],
      [["{}\n"], /"code":"bad-input"/],
      [["[1]\n"], /"code":"bad-input"/],
      [["null\n"], /"code":"bad-input"/],
      [['{"call":"nothing","input":{}}\n'], /"code":"unknown-operation","subject":"nothing"/],
      [['{"call":"__proto__","input":{}}\n'], /"code":"unknown-operation"/],
      [
        ['{"call":"domain.list","input":{}}\n{"call":"domain.add","input":{"name":"b.example"}}\n'],
        /^\{"ok":true[^\n]*\n$/,
      ],
      [['{"call":"user.import","input":{},"parts":"entries"}\n{"part":[1]}\n{"end":true}\n'], /"code":"bad-input"/],
      [['{"call":"domain', '.list","input":{}}', "\r\n"], /^\{"ok":true/],
      [[Buffer.from([0xff, 0xfe, 0x0a])], /"code":"bad-input"/],
    ];
    for (const [pieces, expected] of cases) {
      const answer = await talk(server.folder, ...pieces);
      assert.match(answer, expected);
      assert.equal(answer.split("\n").length, 2, "one line");
    }
    assert.ok(!(await world.store.directory.domains()).some((domain) => domain === "b.example"));
  });

  it("is cut when it sends a line without end", async () => {
    await using server = await running();
    assert.match(await talk(server.folder, "x".repeat(1024 * 1024)), /"code":"bad-input"/);
  });

  it("P6: cannot fill the memory with parts", async () => {
    await using server = await running();
    const part = `{"part":["${"x".repeat(900_000)}"]}\n`;
    const parts = Array.from({ length: 80 }, () => part);
    const begin = '{"call":"user.import","input":{},"parts":"entries"}\n';
    assert.match(await talk(server.folder, begin, ...parts), /"detail":"it is too large"|^$/);
  });

  it("does not keep the server from stopping, however many it is", async () => {
    const server = await running();
    const closed: Promise<unknown>[] = [];
    for (let count = 0; count < 40; count += 1) {
      const socket = connect(path.join(server.folder, "control.sock"));
      socket.on("error", () => undefined);
      closed.push(once(socket, "close"));
      await once(socket, "connect");
    }
    await server[Symbol.asyncDispose]();
    await Promise.all(closed);
    assert.deepEqual(readdirSync(server.folder), []);
  });
});
