import assert from "node:assert/strict";
import { PassThrough, Readable } from "node:stream";
import { describe, it } from "node:test";
import { Failure, UsageError, type Context } from "./context.ts";
import { speak } from "./language.ts";
import { confirm, readPassword } from "./password.ts";

/** A terminal on which somebody types; what it shows is kept. */
function terminal(...keys: readonly string[]) {
  const stdin = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => undefined });
  const stderr = new PassThrough();
  let shown = "";
  let waiting = [...keys];
  // The next keys are pressed when the prompt for them has been drawn.
  stderr.setEncoding("utf8").on("data", (text: string) => {
    shown += text;
    const [next, ...rest] = waiting;
    waiting = rest;
    if (next !== undefined) setImmediate(() => stdin.write(next));
  });
  return { stdin, stderr, shown: () => shown };
}

function contextOf(stdin: Context["world"]["stdin"], stderr = new PassThrough()): Context {
  const unused = (): never => assert.fail("not needed here");
  const ports = { serve: unused, openOffline: unused, upgrade: unused, checkCertificate: unused };
  const world = { stdin, stdout: new PassThrough(), stderr, environment: {}, directory: "/", ports };
  return { world, say: speak("en"), language: "en", json: false, configFile: undefined };
}

const typed = (...pieces: readonly (string | Buffer)[]) =>
  contextOf(Readable.from(pieces.map((piece) => Buffer.from(piece))));

describe("a password from standard input", () => {
  it("is all of it but one line end", async () => {
    for (const [given, password] of [
      ["secret", "secret"],
      ["secret\n", "secret"],
      ["secret\r\n", "secret"],
      ["two words\n\n", "two words\n"],
      [" ", " "],
      ["密码\n", "密码"],
    ] as const) {
      assert.equal(await readPassword(typed(given), "a@b", true), password);
    }
    const whole = Buffer.from("密码");
    assert.equal(await readPassword(typed(whole.subarray(0, 2), whole.subarray(2)), "a@b", true), "密码");
  });

  it("is never empty, and never a whole file", async () => {
    await assert.rejects(readPassword(typed(), "a@b", true), Failure);
    await assert.rejects(readPassword(typed("\n"), "a@b", true), Failure);
    await assert.rejects(readPassword(typed("x".repeat(65_537)), "a@b", true), /too long/);
  });

  it("needs the option where there is no terminal", async () => {
    await assert.rejects(readPassword(typed("secret"), "a@b", false), UsageError);
  });
});

describe("a prompt", () => {
  it("asks twice and shows nothing of what is typed", async () => {
    const { stdin, stderr, shown } = terminal("hunter2\r", "hunter2\r");
    assert.equal(await readPassword(contextOf(stdin, stderr), "a@b.example", false), "hunter2");
    assert.match(shown(), /Password for a@b\.example/);
    assert.match(shown(), /The same again/);
    assert.ok(!shown().includes("hunter2"));
  });

  it("ends with Ctrl-C, and nothing is done", async () => {
    const { stdin, stderr } = terminal("\u0003");
    await assert.rejects(readPassword(contextOf(stdin, stderr), "a@b.example", false), /cancelled; nothing was done/);
  });

  it("comes before what cannot be undone, on a terminal only", async () => {
    const no = terminal("\r");
    await assert.rejects(confirm(contextOf(no.stdin, no.stderr), "Remove?"), /cancelled/);
    const yes = terminal("y");
    await confirm(contextOf(yes.stdin, yes.stderr), "Remove?");
    await confirm(typed(), "Remove?");
  });
});
