import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { addressOf, install, passwordOf } from "../../e2e/harness/installation.ts";
import { buildRig, type Rig } from "../../e2e/harness/rig.ts";
import { serve } from "../../e2e/harness/server.ts";
import type { PartOptions } from "../../reliability/parts.ts";

/** Messages a second, and CPU of the server for each, with one recipient and with many. */
export type Delivered = { readonly perSecond: number; readonly cpuMs: number };
export type Delivery = {
  readonly hot: Delivered;
  readonly spread: Delivered;
  /** Of the rates of one round, which others' work on the machine met alike. */
  readonly hotShare: number;
};

const RECIPIENTS = 200;
const CONNECTIONS = 50;
const SECONDS = 2;

/** Delivers to one maildrop and to many, in turn, over as many connections; medians of the rounds. */
export async function measureDelivery(folder: string, options: PartOptions): Promise<Delivery> {
  const rounds = Number(options["delivery-rounds"] ?? 9);
  await using stack = new AsyncDisposableStack();
  mkdirSync(folder);
  const rig = await buildRig(folder);
  const names = Array.from({ length: RECIPIENTS }, (_, index) => `u${index + 1}`);
  const installation = await install(stack, { users: ["hot", ...names] });
  const server = await serve(stack, installation);
  const users = (list: readonly string[], file: string) =>
    rig.users(
      file,
      list.map((name) => [addressOf(name), passwordOf(name)] as const),
    );
  const files = { hot: users(["hot"], "hot.txt"), spread: users(names, "spread.txt") };
  const once = (which: keyof typeof files, seed: number) =>
    deliver(rig, files[which], { port: server.ports.lmtp, pid: server.pid, seed });
  await once("spread", 1);
  const found: Record<keyof typeof files, Delivered[]> = { hot: [], spread: [] };
  for (let number = 0; number < rounds; number += 1) {
    const order = number % 2 === 0 ? (["hot", "spread"] as const) : (["spread", "hot"] as const);
    for (const which of order) found[which].push(await once(which, number + 2));
  }
  await server.stop();
  const shares = found.hot.map(({ perSecond }, round) => perSecond / (found.spread[round]?.perSecond ?? Number.NaN));
  return { hot: medians(found.hot), spread: medians(found.spread), hotShare: median(shares) };
}

async function deliver(
  rig: Rig,
  file: string,
  { port, pid, seed }: { readonly port: number; readonly pid: number; readonly seed: number },
): Promise<Delivered> {
  const load = ["--lmtp", "--port", String(port), "--users", file, "--conns", String(CONNECTIONS)];
  const what = ["--size", "log:2000-100000", "--seconds", String(SECONDS), "--warmup", "0.5", "--seed", String(seed)];
  const report = await rig.load("smtpload", [...load, ...what, "--cpu-pid", String(pid)], 60);
  assert.deepEqual(report.errors, {}, "every message is taken");
  return { perSecond: Number(report["msgs_per_s"]), cpuMs: 1000 / Number(report["msgs_per_server_cpu_s"]) };
}

function medians(of: readonly Delivered[]): Delivered {
  return { perSecond: median(of.map(({ perSecond }) => perSecond)), cpuMs: median(of.map(({ cpuMs }) => cpuMs)) };
}

function median(of: readonly number[]): number {
  return of.toSorted((one, other) => one - other)[of.length >> 1] ?? Number.NaN;
}
