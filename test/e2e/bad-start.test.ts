import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import net from "node:net";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { makeCertificate } from "./harness/certificate.ts";
import { addressOf, install, type Installation } from "./harness/installation.ts";
import { deliver, maildropHolds } from "./harness/maildrop.ts";
import { freeMailPorts } from "./harness/ports.ts";
import { refusedStart } from "./harness/refusal.ts";
import { serve, startMailkeep } from "./harness/server.ts";

/*
 * Issue 3, "Bad input": starts that must be refused. Each case looks at the words, and at the maildrop afterwards.
 */
const options = { timeout: 120_000 };
const user = "box";

/** An installation with a few messages in it, its server stopped. */
async function filled(stack: AsyncDisposableStack): Promise<{ installation: Installation; mail: Buffer[] }> {
  const installation = await install(stack, { users: [user] });
  await using running = new AsyncDisposableStack();
  const server = await serve(running, installation);
  const mail = await deliver(server, user, 25, 11);
  await server.stop();
  return { installation, mail };
}

/** After the cause is gone the server starts and all mail is there. */
async function allIsThere(stack: AsyncDisposableStack, installation: Installation, mail: readonly Buffer[]) {
  const server = await serve(stack, installation);
  await maildropHolds(server, user, mail);
  await server.stop();
}

test("wrong YAML: all that is wrong at once, with place, what was expected, and the nearest key", options, async () => {
  await using stack = new AsyncDisposableStack();
  const { installation, mail } = await filled(stack);
  const text = `server:
  hostnam: mail.e2e.test
  data_directory: ${installation.data}
  threads: many
listeners:
  - protocol: pop4
    address: ["127.0.0.1:99999"]
    tls: sometimes
limits:
  message_octets: 50 MiBs
  pop3_idle_second: 700
retention:
  undelete_day: 14
log:
  level: loud
`;
  writeFileSync(installation.configFile, text);
  for (const [how, words] of [
    ["serve", await refusedStart(installation)],
    ["config check", (await installation.cli(["config", "check"])).stderr],
  ] as const) {
    // Line and the columns of key and value, and a word that must stand in the same line of the answer.
    const wanted: [line: number, columns: string, word: RegExp][] = [
      [2, "3", /hostname/],
      [4, "3|12", /threads.*(number|integer)/i],
      [6, "5|15", /pop3/],
      [7, "5|14|15", /99999|port/],
      [8, "5|10", /starttls/],
      [10, "3|19", /message_octets/],
      [11, "3", /pop3_idle_seconds/],
      [13, "3", /undelete_days/],
      [15, "3|10", /info|warn/],
    ];
    for (const [line, columns, word] of wanted) {
      const place = new RegExp(`mailkeep\\.yaml:${line}:(?:${columns})\\b.*`);
      const [found = ""] = place.exec(words) ?? [];
      assert.notEqual(found, "", `${how} tells of line ${line}, column ${columns}:\n${words}`);
      const around = words.slice(words.indexOf(found), words.indexOf(found) + found.length + 200);
      assert.match(around, word, `${how}, line ${line}`);
    }
  }
  installation.configure();
  await allIsThere(stack, installation, mail);
});

test("YAML that is none: the place where it stops being YAML", options, async () => {
  await using stack = new AsyncDisposableStack();
  const { installation, mail } = await filled(stack);
  writeFileSync(installation.configFile, 'server:\n  hostname: "mail.e2e.test\n  threads: 1\n');
  assert.match(await refusedStart(installation), /mailkeep\.yaml:[2-4]:\d+/);
  const before = readFileSync(installation.configFile, "utf8");
  rmSync(installation.configFile);
  const words = await refusedStart(installation);
  assert.match(words, /mailkeep\.yaml/, "a file that is not there is named");
  writeFileSync(installation.configFile, before);
  installation.configure();
  await allIsThere(stack, installation, mail);
});

test("a port in use: which one, and by what", options, async () => {
  await using stack = new AsyncDisposableStack();
  const { installation, mail } = await filled(stack);
  for (const name of ["pop3s", "lmtp", "http"] as const) {
    const port = installation.ports[name];
    const squatter = net.createServer().listen(port, "127.0.0.1");
    await once(squatter, "listening");
    const words = await refusedStart(installation);
    squatter.close();
    assert.match(words, new RegExp(`127\\.0\\.0\\.1:${port}`), `the address of ${name}: ${words}`);
    assert.match(words, /in use|taken|already/i, words);
    assert.match(words, new RegExp(`\\b${process.pid}\\b`), `the process that has it (${process.pid}): ${words}`);
  }
  await allIsThere(stack, installation, mail);
});

test("a second server on the same folder is refused, and not after the first was killed", options, async () => {
  await using stack = new AsyncDisposableStack();
  const server = await startMailkeep(stack, { users: [user] });
  const { installation } = server;
  const mail = await deliver(server, user, 25, 12);
  const first = installation.ports;
  installation.ports = await freeMailPorts();
  installation.configure();
  const words = await refusedStart(installation);
  assert.match(words, new RegExp(installation.data), `the folder is named: ${words}`);
  assert.match(words, /another|second|already|in use|running/i, words);
  installation.ports = first;
  installation.configure();
  await maildropHolds(server, user, mail);
  await server.kill();
  await allIsThere(stack, installation, mail);
});

test("a data folder of a newer version", options, async () => {
  await using stack = new AsyncDisposableStack();
  const { installation, mail } = await filled(stack);
  const file = path.join(installation.data, "mailkeep.db");
  withDatabase(file, (database) => database.exec("update schema_version set version = version + 1000"));
  const before = digest(file);
  const words = await refusedStart(installation);
  assert.match(words, /newer|later/i, words);
  assert.match(words, /\b10\d\d\b/, `the version it found: ${words}`);
  const listed = await installation.cli(["user", "list"]);
  assert.equal(listed.code, 1, "a command refuses it as well");
  assert.match(listed.stderr, /newer|later/i);
  assert.equal(digest(file), before, "the database is as it was");
  withDatabase(file, (database) => database.exec("update schema_version set version = version - 1000"));
  await allIsThere(stack, installation, mail);
});

test(
  "a truncated, an emptied and a missing database are refused, never served as empty maildrops",
  options,
  async (t) => {
    await using stack = new AsyncDisposableStack();
    const { installation, mail } = await filled(stack);
    const file = path.join(installation.data, "mailkeep.db");
    const whole = readFileSync(file);
    const cases: Record<string, () => void> = {
      "half of it": () => truncateSync(file, Math.floor(whole.length / 8192) * 4096),
      "a piece of a page": () => truncateSync(file, whole.length - 100),
      "its first page": () => truncateSync(file, 4096),
      nothing: () => truncateSync(file, 0),
      "no file": () => rmSync(file),
      "other octets": () => writeFileSync(file, Buffer.alloc(whole.length, 0x5a)),
    };
    for (const [name, damage] of Object.entries(cases)) {
      await t.test(name, async () => {
        try {
          damage();
          const before = existsSync(file) ? digest(file) : "none";
          const words = await refusedStart(installation);
          assert.match(words, new RegExp(installation.data), `the place is named: ${words}`);
          assert.match(words, /database/i, words);
          assert.match(words, /damaged|not whole|missing|gone|older|malformed|empty|not a database/i, words);
          assert.equal(existsSync(file) ? digest(file) : "none", before, "nothing was written over it");
        } finally {
          for (const rest of ["-wal", "-shm"]) rmSync(`${file}${rest}`, { force: true });
          writeFileSync(file, whole);
        }
      });
    }
    await allIsThere(stack, installation, mail);
  },
);

test("a certificate that does not fit its key, and files that cannot be read", options, async (t) => {
  await using stack = new AsyncDisposableStack();
  const { installation, mail } = await filled(stack);
  const other = await makeCertificate(installation.folder, "other");
  const folder = path.join(installation.folder, "a-folder");
  mkdirSync(folder);
  const garbage = path.join(installation.folder, "garbage.pem");
  writeFileSync(garbage, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
  const { certificate, key } = installation.tls;
  const missing = path.join(installation.folder, "missing.pem");
  const cases: Record<string, { tls: object; words: RegExp[] }> = {
    "another key": { tls: { certificate, key: other.key }, words: [/key/i, /match|fit|belong/i, /other\.key/] },
    "no such key file": {
      tls: { certificate, key: missing },
      words: [/missing\.pem/, /no such|not found|cannot|does not exist/i],
    },
    "a folder for a key": { tls: { certificate, key: folder }, words: [/a-folder/] },
    "no such certificate": { tls: { certificate: missing, key }, words: [/missing\.pem/] },
    "a certificate that is none": { tls: { certificate: garbage, key }, words: [/garbage\.pem/, /certificate/i] },
    "a certificate without its key": { tls: { certificate, key: null }, words: [/key/] },
  };
  for (const [name, { tls, words }] of Object.entries(cases)) {
    await t.test(name, async () => {
      installation.configure({ tls: { ...tls } });
      const told = await refusedStart(installation);
      for (const word of words) assert.match(told, word);
    });
  }
  installation.configure();
  await allIsThere(stack, installation, mail);
});

test("a data folder that is a file, and one that cannot be made", options, async () => {
  await using stack = new AsyncDisposableStack();
  const { installation, mail } = await filled(stack);
  const file = path.join(installation.folder, "a-file");
  writeFileSync(file, "");
  for (const place of [file, path.join(file, "below"), "/sys/mailkeep"]) {
    installation.configure({ server: { data_directory: place } });
    assert.match(await refusedStart(installation), new RegExp(place));
  }
  assert.equal(statSync(file).size, 0);
  installation.configure();
  await allIsThere(stack, installation, mail);
  assert.equal((await installation.cli(["user", "show", addressOf(user)])).code, 0);
});

function digest(file: string): string {
  return createHash("sha256").update(readFileSync(file)).digest("hex");
}

function withDatabase(file: string, work: (database: DatabaseSync) => void): void {
  const database = new DatabaseSync(file);
  try {
    work(database);
  } finally {
    database.close();
  }
}
