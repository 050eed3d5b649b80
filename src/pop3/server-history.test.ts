import assert from "node:assert/strict";
import { test } from "node:test";
import { rig } from "./testing/rig.ts";

const timeout = { timeout: 20_000 };

test("each RETR is told as it ended, whole and without its dots; TOP is no transfer", timeout, async (context) => {
  const { memory, login, listener } = await rig(context);
  memory.pieceOctets = 1000;
  memory.add(".a\r\n..b\r\n", "", `${".".repeat(78)}\r\n`.repeat(100), "Subject: x\r\n\r\nbody\r\n");
  const client = await login();
  client.send("RETR 1\r\nRETR 2\r\nTOP 4 0\r\nRETR 3\r\nRETR 1\r\nQUIT\r\n");
  await client.rest();
  client.finish();
  await listener.idle();
  assert.deepEqual(memory.transfers, [
    [1, 9, true],
    [2, 0, true],
    [3, 8000, true],
    [1, 9, true],
  ]);
});

test("a RETR whose client goes is told as cut, with the octets that were on their way", timeout, async (context) => {
  const { memory, login, listener } = await rig(context);
  memory.pieceOctets = 256 * 1024;
  memory.add("x".repeat(32 << 20));
  const client = await login();
  client.socket.pause();
  client.send("RETR 1\r\n");
  for (let turn = 0; turn < 50; turn += 1) await new Promise(setImmediate);
  client.socket.resetAndDestroy();
  await listener.idle();
  const [[uid, octets, whole] = [], ...more] = memory.transfers;
  assert.deepEqual([uid, whole, more], [1, false, []]);
  assert.ok(octets !== undefined && octets > 0 && octets < 32 << 20);
});

test(
  "a RETR that is cut for damage is told as cut; one that is refused, or a TOP, is not told",
  timeout,
  async (context) => {
    const { memory, login, listener } = await rig(context);
    memory.pieceOctets = 10;
    memory.add("a\r\n", "b".repeat(50), "c\r\n", "d".repeat(50));
    memory.faults.read = new Map([
      [1, "damaged"],
      [3, "utf8"],
      [2, "damaged-later"],
    ]);
    const client = await login();
    client.send("RETR 1\r\nRETR 3\r\nTOP 4 0\r\nRETR 2\r\nNOOP\r\n");
    assert.match(await client.rest(), /^-ERR \[SYS\/PERM\][^]*-ERR \[UTF8\][^]*\+OK 50 octets\r\nb{10}$/);
    await listener.idle();
    assert.deepEqual(memory.transfers, [[2, 10, false]]);
  },
);

test("a session has one name in log and history, and says whose device it was", timeout, async (context) => {
  const { memory, login, events, listener } = await rig(context);
  const device = { ...memory.identity.device, name: "phone" };
  memory.identity = { ...memory.identity, device };
  const first = await login();
  first.send("QUIT\r\n");
  await first.rest();
  first.finish();
  await memory.free();
  const second = await login();
  second.send("QUIT\r\n");
  await second.rest();
  second.finish();
  await listener.idle();
  const names = memory.openings.map(({ session }) => session);
  assert.equal(new Set(names).size, 2);
  assert.match(names[0] ?? "", /^[0-9a-f]{12}$/);
  const sessions = events.filter(({ event }) => event === "pop3.session").map(({ fields }) => fields as object);
  assert.deepEqual(
    sessions.map((fields) => ({ ...fields, seconds: 0 })),
    names.map((session) => ({
      session,
      account: "tim@example.com",
      device: "phone",
      peer: "127.0.0.1",
      tls: "",
      cipher: "",
      end: "quit",
      sent: 0,
      octets: 0,
      removed: 0,
      seconds: 0,
    })),
  );
});

test("6856-01 UTF8 is passed on to who opens the maildrop", timeout, async (context) => {
  const { memory, connect } = await rig(context);
  for (const said of ["", "UTF8\r\n"]) {
    const client = await connect();
    client.send(`${said}USER tim\r\nPASS tanstaaf\r\nQUIT\r\n`);
    await client.rest();
    client.finish();
    await memory.free();
  }
  assert.deepEqual(
    memory.openings.map(({ utf8 }) => utf8),
    [false, true],
  );
});

test("6856-03 what is not ASCII leaves as UTF-8", timeout, async (context) => {
  const { connect } = await rig(context);
  const client = await connect();
  client.send("LANG zh-CN\r\nUSER tim\r\nPASS tanstaaf\r\nQUIT\r\n");
  const said = Buffer.from(await client.rest(), "latin1").toString("utf8");
  assert.equal(said, "+OK zh-CN 已切换为简体中文\r\n+OK 请发送密码\r\n+OK 0 封邮件 (0 字节)\r\n+OK 再见\r\n");
});

test("a device that may only read removes nothing", timeout, async (context) => {
  const { memory, login, listener } = await rig(context);
  memory.identity = { ...memory.identity, device: { ...memory.identity.device, noDelete: true } };
  memory.add("a\r\n");
  const client = await login();
  client.send("RETR 1\r\nDELE 1\r\nQUIT\r\n");
  assert.match(await client.rest(), /\.\r\n-ERR this device may read mail but not delete it\r\n\+OK bye\r\n$/);
  client.finish();
  await listener.idle();
  assert.deepEqual([memory.messages, memory.counts.updates], [1, 0]);
});
