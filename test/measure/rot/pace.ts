import { findServer } from "../../../src/admin/control-client.ts";
import { addressOf, install, passwordOf } from "../../e2e/harness/installation.ts";
import { messageOf } from "../../e2e/harness/messages.ts";
import { Pop3 } from "../../e2e/harness/pop3.ts";
import { serve, type Server } from "../../e2e/harness/server.ts";
import { Smtp } from "../../e2e/harness/smtp.ts";

/** How fast a scrub can be, and what people notice of one at its usual rate. */
export type PaceFigures = { readonly megabytesPerSecond: number; readonly quiet: string; readonly beside: string };

const USER = "ann";
const MESSAGES = 300;
const OCTETS = 200_000;
const FETCHES = 100;

/** Measures it on a store of 60 MB. */
export async function measurePace(stack: AsyncDisposableStack): Promise<PaceFigures> {
  const installation = await install(stack, { users: [USER], config: { auth: { allow_cleartext: true } } });
  const server = await serve(stack, installation);
  await fill(server);
  const quiet = await fetchTimes(server);
  const admin = await findServer(installation.data);
  if (!admin.ok) throw new Error("no server");
  const usual = new AbortController();
  const running = admin.value.call("store.scrub", { restart: true }, { signal: usual.signal });
  const beside = await fetchTimes(server);
  usual.abort();
  await running;
  const started = performance.now();
  let done = await admin.value.call("store.scrub", { restart: true, rate: 100_000 });
  // The one before gives its place up in a moment.
  while (!done.ok && done.error.code === "scrub-busy")
    done = await admin.value.call("store.scrub", { restart: true, rate: 100_000 });
  if (!done.ok || done.value.found > 0) throw new Error("a scrub of a sound store found something");
  const seconds = (performance.now() - started) / 1000;
  await server.stop();
  return { megabytesPerSecond: Math.round(done.value.octets / 1e6 / seconds), quiet, beside };
}

async function fill(server: Server): Promise<void> {
  await using session = await Smtp.open(server.ports.smtp);
  const { octets } = messageOf(OCTETS, 3);
  for (let index = 0; index < MESSAGES; index += 1)
    await session.data("a@elsewhere.example", [addressOf(USER)], octets);
  await session.quit();
}

async function fetchTimes(server: Server): Promise<string> {
  await using session = await Pop3.login(server.ports.pop3, addressOf(USER), passwordOf(USER));
  const times: number[] = [];
  for (let index = 0; index < FETCHES; index += 1) {
    const started = performance.now();
    await session.retrieve(index + 1);
    times.push(performance.now() - started);
  }
  await session.quit();
  const sorted = times.toSorted((one, other) => one - other);
  return `${(sorted[FETCHES / 2] ?? 0).toFixed(1)} / ${(sorted.at(-1) ?? 0).toFixed(1)} ms`;
}
