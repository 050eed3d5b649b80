import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { before, after, describe, test } from "node:test";
import { addressOf, passwordOf } from "./harness/installation.ts";
import { startOidc, type Oidc } from "./harness/oidc.ts";
import { Pop3 } from "./harness/pop3.ts";
import { mustRun, run, type Finished } from "./harness/process.ts";
import { repository } from "./harness/repository.ts";
import { scratch } from "./harness/scratch.ts";
import { startMailkeep, type Server } from "./harness/server.ts";
import { until } from "./harness/wait.ts";

// Logins by programs that nobody here wrote: GNU SASL, mpop, curl, and a real OpenID provider.
const user = addressOf("box");
const password = passwordOf("box");
const stack = new AsyncDisposableStack();
let server: Server;
let oidc: Oidc;
let folder: string;
let scram: string;

before(
  async () => {
    folder = scratch(stack);
    oidc = await startOidc(stack, path.join(folder, "oidc"));
    const authority = await makeAuthority(folder);
    server = await startMailkeep(stack, {
      users: ["box", "other"],
      config: {
        auth: {
          scram: "on",
          oauth: [{ issuer: oidc.issuer, audience: oidc.audience, username_claim: "email" }],
          client_certificates: { authority, username: "email" },
        },
      },
    });
    scram = path.join(folder, "scram");
    const source = path.join(repository, "test", "e2e", "programs", "scram.c");
    await mustRun("cc", ["-Wall", "-O1", "-o", scram, source, "-lgsasl", "-lssl", "-lcrypto"]);
  },
  { timeout: 300_000 },
);

after(() => stack.disposeAsync());

describe("SCRAM by GNU SASL", () => {
  const gsasl = (mechanism: string, tls: string, more: { pass?: string; words?: readonly string[] } = {}) => {
    const { certificate } = server.installation.tls;
    const words = [mechanism, "localhost", String(server.ports.pop3s), user, more.pass ?? password, certificate, tls];
    return run(scram, [...words, ...(more.words ?? [])]);
  };
  for (const tls of ["1.2", "1.3"]) {
    for (const mechanism of ["SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"]) {
      test(`${mechanism} over TLS ${tls}: both sides know each other`, async () => {
        const seen = server.events("login.ok").length;
        const end = await gsasl(mechanism, tls);
        assert.equal(end.code, 0, end.text + end.stderr);
        // The server's signature came as one more challenge (rule SASL-04), which GNU SASL checked.
        assert.equal(challenges(end), 3, end.text);
        await loggedIn(mechanism, seen);
      });
    }
    test(`SCRAM-SHA-256-PLUS over TLS ${tls}: another connection's binding is refused`, async () => {
      const end = await gsasl("SCRAM-SHA-256-PLUS", tls, { words: ["wrong-binding"] });
      assert.equal(end.code, 2, end.text);
      assert.match(end.text, /-ERR \[AUTH\]/);
    });
  }
  test("a wrong password is refused, and so is SHA-1 while it is off", async () => {
    const wrong = await gsasl("SCRAM-SHA-256", "1.3", { pass: "not it" });
    assert.match(wrong.text, /-ERR \[AUTH\]/);
    const off = await gsasl("SCRAM-SHA-1", "1.3");
    assert.match(off.text, /-ERR (?!\[AUTH\])/);
  });
});

describe("SCRAM by mpop", () => {
  for (const method of ["scram-sha-256", "plain", "login"]) {
    test(method, async () => {
      const seen = server.events("login.ok").length;
      const end = await mpop(method, password);
      assert.equal(end.code, 0, end.text + end.stderr);
      await loggedIn(method.toUpperCase(), seen);
    });
  }
});

describe("OAuth with a real provider", () => {
  test("curl --oauth2-bearer, before and after the provider's keys were changed", async () => {
    const seen = server.events("login.ok").length;
    assert.equal((await curl(["--oauth2-bearer", await oidc.token(user), "-u", `${user}:`])).code, 0);
    await loggedIn("OAUTHBEARER", seen);
    const old = await oidc.token(user);
    await oidc.rotate();
    assert.equal((await curl(["--oauth2-bearer", await oidc.token(user), "-u", `${user}:`])).code, 0, "a new key");
    assert.equal((await curl(["--oauth2-bearer", old, "-u", `${user}:`])).code, 0, "a key that is still published");
  });

  for (const method of ["oauthbearer", "xoauth2"]) {
    test(`mpop by ${method}`, async () => {
      const seen = server.events("login.ok").length;
      const end = await mpop(method, await oidc.token(user));
      assert.equal(end.code, 0, end.text + end.stderr);
      await loggedIn(method.toUpperCase(), seen);
    });
  }

  test("a token of somebody else, a changed one and one of another issuer open nothing", async () => {
    const token = await oidc.token(addressOf("other"));
    const others = await curl(["--oauth2-bearer", token, "-u", `${user}:`]);
    assert.notEqual(others.code, 0);
    const changed = await curl(["--oauth2-bearer", `${token.slice(0, -4)}AAAA`, "-u", `${addressOf("other")}:`]);
    assert.notEqual(changed.code, 0);
    const none = await curl(["--oauth2-bearer", "e30.e30.e30", "-u", `${user}:`]);
    assert.notEqual(none.code, 0);
  });

  test("no token is in the log", async () => {
    const token = await oidc.token(user);
    await curl(["--oauth2-bearer", token, "-u", `${user}:`]);
    const [, payload = ""] = token.split(".");
    assert.ok(!server.output.includes(payload) && !server.output.includes(token.slice(0, 40)));
  });
});

describe("EXTERNAL by client certificate", () => {
  test("curl with a certificate of the configured authority, and with another", async () => {
    const certificate = await makeClient(folder, "box", user);
    const seen = server.events("login.ok").length;
    const external = ["--login-options", "AUTH=EXTERNAL", "-u", `${user}:`];
    const right = await curl([...external, "--cert", certificate.file, "--key", certificate.key]);
    assert.equal(right.code, 0, right.stderr);
    await loggedIn("EXTERNAL", seen);
    const stranger = await makeAuthority(mkdirIn("stranger"));
    const forged = await makeClient(path.dirname(stranger), "box", user);
    const wrong = await curl([...external, "--cert", forged.file, "--key", forged.key]);
    assert.notEqual(wrong.code, 0, "another authority's word does not count");
  });
});

test("CAPA tells the mechanisms of this connection, and none in clear text", async () => {
  const { ca } = server.installation;
  await using clear = await Pop3.open(server.ports.pop3);
  assert.equal(
    (await clear.lines("CAPA")).find((line) => line.startsWith("SASL")),
    undefined,
  );
  await using secure = await Pop3.open(server.ports.pop3s, { tls: "implicit", ca });
  const sasl = (await secure.lines("CAPA")).find((line) => line.startsWith("SASL"))?.split(" ") ?? [];
  for (const name of ["SCRAM-SHA-256", "PLAIN", "LOGIN", "OAUTHBEARER", "XOAUTH2"])
    assert.ok(sasl.includes(name), `${name} in ${sasl.join(" ")}`);
  assert.ok(!sasl.includes("EXTERNAL"), "no certificate was shown");
  assert.ok(!sasl.includes("SCRAM-SHA-1"), "off by default");
  assert.ok(!sasl.includes("SCRAM-SHA-256-PLUS"), "taken, and not announced unless it is asked for");
});

test("before every account has its keys, auto does not announce SCRAM; the first login by PLAIN makes them", async () => {
  await using own = new AsyncDisposableStack();
  const house = await startMailkeep(own, { users: ["box"], config: { auth: { scram: "auto" } } });
  const hash = await mustRun("openssl", ["passwd", "-6", "imported-secret"]);
  await house.installation.mustCli(["user", "import", "-"], {
    input: `${addressOf("imported")},{SHA512-CRYPT}${hash.text.trim()}\n`,
  });
  const open = () => Pop3.open(house.ports.pop3s, { tls: "implicit", ca: house.installation.ca });
  const announced = async (): Promise<boolean> => {
    await using session = await open();
    return (await session.lines("CAPA")).some((line) => /^SASL .*SCRAM-SHA-256/.test(line));
  };
  await until("SCRAM to be withdrawn: one account could not log in by it", 5, async () => !(await announced()));
  await using session = await open();
  await session.must(`AUTH PLAIN ${Buffer.from(`\0${addressOf("imported")}\0imported-secret`).toString("base64")}`);
  await session.quit();
  await until("SCRAM to be announced once every account has keys", 5, announced);
});

/** Waits for a login by this mechanism; lines of logins before it may still come late. */
async function loggedIn(mechanism: string, seen: number): Promise<void> {
  await until(`a login by ${mechanism}`, 5, () =>
    server
      .events("login.ok")
      .slice(seen)
      .some((line) => line["mechanism"] === mechanism),
  );
}

function challenges(end: Finished): number {
  return end.text.split("\n").filter((line) => line.startsWith("S: + ")).length;
}

function curl(words: readonly string[]): Promise<Finished> {
  const { certificate } = server.installation.tls;
  const url = `pop3s://localhost:${server.ports.pop3s}/`;
  return run("curl", ["-sS", "--max-time", "30", "--cacert", certificate, ...words, url]);
}

async function mpop(method: string, secret: string): Promise<Finished> {
  const place = mkdirIn(`mpop-${method}`);
  const box = path.join(place, "box");
  for (const part of ["", "cur", "new", "tmp"]) mkdirSync(path.join(box, part), { recursive: true });
  const secretFile = path.join(place, "secret");
  writeFileSync(secretFile, `${secret}\n`, { mode: 0o600 });
  const lines = [
    "account default",
    "host localhost",
    `port ${server.ports.pop3s}`,
    `user ${user}`,
    // A line of its file holds 500 characters, and a token has more.
    `passwordeval cat ${secretFile}`,
    `auth ${method}`,
    "tls on",
    "tls_starttls off",
    `tls_trust_file ${server.installation.tls.certificate}`,
    "keep on",
    `uidls_file ${path.join(place, "uidls")}`,
    `delivery maildir ${box}`,
  ];
  const rc = path.join(place, "mpoprc");
  writeFileSync(rc, `${lines.join("\n")}\n`, { mode: 0o600 });
  return run("mpop", ["-C", rc, "--all-accounts"], { env: { ...process.env, HOME: place } });
}

function mkdirIn(name: string): string {
  const place = path.join(folder, name);
  mkdirSync(place, { recursive: true });
  return place;
}

/** An authority of clients, as a file for the configuration; its key lies beside it. */
async function makeAuthority(place: string): Promise<string> {
  const file = path.join(place, "clients.crt");
  const words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=clients".split(" ");
  await mustRun("openssl", [...words, "-keyout", path.join(place, "clients.key"), "-out", file]);
  return file;
}

async function makeClient(place: string, name: string, address: string) {
  const [file, key, request] = ["crt", "key", "csr"].map((end) => path.join(place, `client-${name}.${end}`));
  assert.ok(file && key && request);
  const made = "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes".split(" ");
  await mustRun("openssl", [...made, "-subj", `/CN=${name}`, "-keyout", key, "-out", request]);
  const extensions = path.join(place, "extensions");
  writeFileSync(extensions, `subjectAltName=email:${address}\nextendedKeyUsage=clientAuth\n`);
  const signing = [
    "-CA",
    path.join(place, "clients.crt"),
    "-CAkey",
    path.join(place, "clients.key"),
    "-CAcreateserial",
  ];
  await mustRun("openssl", [
    "x509",
    "-req",
    "-in",
    request,
    ...signing,
    "-days",
    "9",
    "-extfile",
    extensions,
    "-out",
    file,
  ]);
  return { file, key };
}
