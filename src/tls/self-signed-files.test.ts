import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { ensureSelfSigned, selfSignedFiles, writeSelfSigned } from "./self-signed-files.ts";
import { makeSelfSigned } from "./self-signed.ts";

const DAY_MS = 86_400_000;

async function open(t: TestContext) {
  const parent = await mkdtemp(path.join(tmpdir(), "mailkeep-"));
  t.after(() => rm(parent, { recursive: true }));
  const clock = { at: Date.UTC(2026, 0, 2), now: () => clock.at, monotonic: () => 0 };
  const folder = path.join(parent, "tls");
  const { certificate, key } = selfSignedFiles(folder);
  const pair = async () => [await readFile(certificate, "latin1"), await readFile(key, "latin1")];
  const ensure = async (hostname = "localhost") => (await ensureSelfSigned(folder, hostname, clock)).made;
  return { clock, folder, certificate, key, pair, ensure };
}

test("the first start makes a pair, the key for its owner's eyes only; the next start keeps it", async (t) => {
  const { certificate, key, pair, ensure } = await open(t);
  assert.equal(await ensure(), true);
  const first = await pair();
  assert.equal((await stat(key)).mode & 0o777, 0o600);
  assert.equal((await stat(certificate)).mode & 0o777, 0o644);
  assert.equal(await ensure(), false);
  assert.deepEqual(await pair(), first);
});

test("ours is made anew when less than thirty days are left, and for another host name", async (t) => {
  const { clock, ensure } = await open(t);
  await ensure();
  clock.at += 789 * DAY_MS;
  assert.equal(await ensure(), false);
  clock.at += 2 * DAY_MS;
  assert.equal(await ensure(), true);
  assert.equal(await ensure(), false);
  assert.equal(await ensure("mail.example.test"), true);
});

for (const [what, spoil] of [
  ["the key is gone", ({ key }) => rm(key)],
  ["the key is of another pair", async ({ key }) => writeFile(key, (await otherPair()).keyPem)],
  ["the certificate is torn", ({ certificate }) => writeFile(certificate, "-----BEGIN CERTIFICATE-----\nMII")],
] as const satisfies [string, (files: { certificate: string; key: string }) => Promise<void>][]) {
  test(`a pair of which ${what} is made anew`, async (t) => {
    const { ensure, ...files } = await open(t);
    await ensure();
    await spoil(files);
    assert.equal(await ensure(), true);
    assert.equal(await ensure(), false);
  });
}

test("a certificate that somebody else put there is left alone, however old", async (t) => {
  const { clock, certificate, pair, ensure } = await open(t);
  await ensure();
  await writeFile(certificate, FOREIGN_PEM);
  clock.at += 10_000 * DAY_MS;
  assert.equal(await ensure("mail.example.test"), false);
  assert.equal((await pair())[0], FOREIGN_PEM);
});

test("a new one is made at once when asked for", async (t) => {
  const { clock, folder, pair, ensure } = await open(t);
  await ensure();
  const first = await pair();
  await writeSelfSigned(folder, "localhost", clock);
  assert.notDeepEqual(await pair(), first);
  assert.equal(await ensure(), false);
});

test("what stands in the way is an error that names the file", async (t) => {
  const { certificate, key, ensure } = await open(t);
  await ensure();
  await rm(key);
  await rm(certificate);
  await writeFile(path.join(path.dirname(key), "keep"), "");
  await assert.rejects(
    ensureSelfSigned(path.join(path.dirname(key), "keep"), "localhost", { now: () => 0, monotonic: () => 0 }),
    (error: Error) => /keep/.test(error.message) || /keep/.test(String(error.cause)),
  );
});

function otherPair() {
  return makeSelfSigned({ hostname: "localhost", names: [], days: 10, now: Date.UTC(2026, 0, 2) });
}

// CN=foreign.example, made once by `openssl req -x509 -newkey ec`.
const FOREIGN_PEM = `-----BEGIN CERTIFICATE-----
MIIBijCCAS+gAwIBAgIUU3ShlIss6DX30jofr0WoGV4ji+wwCgYIKoZIzj0EAwIw
GjEYMBYGA1UEAwwPZm9yZWlnbi5leGFtcGxlMB4XDTI2MTEyNDIyMjc0MFoXDTI2
MTIyNDIyMjc0MFowGjEYMBYGA1UEAwwPZm9yZWlnbi5leGFtcGxlMFkwEwYHKoZI
zj0CAQYIKoZIzj0DAQcDQgAEURmYoDxHIS05pYPko2lgtZF6rJbWLsWta8IN8Uep
QUL+WCBDmCQ5o4OpsEwOk1uYkxwBgcaOg4ePPJ9fLNfvq6NTMFEwHQYDVR0OBBYE
FDjbyEUk5Wu6Qq+rcV+16cstWdtKMB8GA1UdIwQYMBaAFDjbyEUk5Wu6Qq+rcV+1
6cstWdtKMA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDSQAwRgIhAL+oWy25
MZWaO+/iC2mU7U5eubMSUHRX79j1f3RmF3M+AiEA/U4Uq4Q/h/43yjevxaoVEaGC
Jfyt+PIDmWnOi3M4mSE=
-----END CERTIFICATE-----
`;
