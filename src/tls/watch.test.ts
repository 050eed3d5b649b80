import assert from "node:assert/strict";
import { mkdir, mkdtemp, rename, rm, symlink, unlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { loadCertificate } from "./certificates.ts";
import { newTicketKeys } from "./ticket-keys.ts";
import type { SelfSigned } from "./self-signed.ts";
import { makeSelfSigned } from "./self-signed.ts";
import { CertificateWatch } from "./watch.ts";

const clock = { now: () => Date.UTC(2026, 0, 2), monotonic: () => 0 };
const pair = () => makeSelfSigned({ hostname: "localhost", names: [], days: 90, now: clock.now() });
const [old, young] = await Promise.all([pair(), pair()]);

async function write(folder: string, { certificatePem, keyPem }: SelfSigned): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(path.join(folder, "certificate.pem"), certificatePem);
  await writeFile(path.join(folder, "key.pem"), keyPem);
}

/** A watch over links as certbot keeps them: `live` leads to the folder of the newest pair. */
async function start(t: TestContext) {
  const folder = await mkdtemp(path.join(tmpdir(), "mailkeep-"));
  t.after(() => rm(folder, { recursive: true }));
  const live = path.join(folder, "live");
  await write(path.join(folder, "1"), old);
  await symlink("1", live);
  const files = { certificate: path.join(live, "certificate.pem"), key: path.join(live, "key.pem") };
  const request = { ...files, minimumVersion: "1.2", ticketKeys: newTicketKeys() } as const;
  const said: string[] = [];
  const inUse = { ...old, minimumVersion: "1.2", ticketKeys: request.ticketKeys } as const;
  const watch = new CertificateWatch(files, inUse, {
    load: () => loadCertificate(request, clock),
    loaded: ({ material }) => said.push(material.certificatePem === young.certificatePem ? "young" : "old"),
    failed: ({ kind }) => said.push(kind),
  });
  t.after(() => watch[Symbol.dispose]());
  const polls = async (times: number) => {
    for (let count = 0; count < times; count += 1) await watch.poll();
  };
  return { folder, live, files, said, polls };
}

test("nothing is said while nothing changes, nor when the same text is written again", async (t) => {
  const { folder, said, polls } = await start(t);
  await polls(3);
  await write(path.join(folder, "1"), old);
  await polls(3);
  assert.deepEqual(said, []);
});

test("a link that leads to a new pair is noticed, once", async (t) => {
  const { folder, live, said, polls } = await start(t);
  await polls(1);
  await write(path.join(folder, "2"), young);
  await symlink("2", `${live}.new`);
  await rename(`${live}.new`, live);
  await polls(3);
  assert.deepEqual(said, ["young"]);
});

test("what changed before the first look is noticed too", async (t) => {
  const { folder, said, polls } = await start(t);
  await write(path.join(folder, "1"), young);
  await polls(1);
  assert.deepEqual(said, ["young"]);
});

test("a pair that is half written is tried again, without a word", async (t) => {
  const { files, said, polls } = await start(t);
  await polls(1);
  await writeFile(files.certificate, young.certificatePem);
  await polls(2);
  await writeFile(files.key, young.keyPem);
  await polls(3);
  assert.deepEqual(said, ["young"]);
});

test("a pair that stays wrong is told once; the next change is looked at again", async (t) => {
  const { files, said, polls } = await start(t);
  await polls(1);
  await writeFile(files.certificate, young.certificatePem);
  await polls(10);
  assert.deepEqual(said, ["key-mismatch"]);
  await unlink(files.key);
  await polls(10);
  assert.deepEqual(said, ["key-mismatch", "unreadable"]);
  await writeFile(files.key, young.keyPem);
  await polls(10);
  assert.deepEqual(said, ["key-mismatch", "unreadable", "young"]);
});

test("another authority for clients is noticed, and one that is none is told", async (t) => {
  const { folder, files } = await start(t);
  const clientAuthority = path.join(folder, "clients.pem");
  await writeFile(clientAuthority, old.certificatePem);
  const request = { ...files, clientAuthority, minimumVersion: "1.2", ticketKeys: newTicketKeys() } as const;
  const said: (string | undefined)[] = [];
  const inUse = { ...old, minimumVersion: "1.2", ticketKeys: request.ticketKeys } as const;
  using watch = new CertificateWatch(
    { ...files, clientAuthority },
    { ...inUse, clientAuthority: old.certificatePem },
    {
      load: () => loadCertificate(request, clock),
      loaded: ({ material }) => said.push(material.clientAuthority),
      failed: ({ message }) => said.push(message),
    },
  );
  await watch.poll();
  await writeFile(clientAuthority, young.certificatePem);
  for (let count = 0; count < 3; count += 1) await watch.poll();
  await writeFile(clientAuthority, "nothing");
  for (let count = 0; count < 5; count += 1) await watch.poll();
  const none = `authority ${clientAuthority}: no certificate in PEM form in it (a text with -----BEGIN CERTIFICATE-----)`;
  assert.deepEqual(said, [young.certificatePem, none]);
});
