import { setTimeout as pause } from "node:timers/promises";
import { parentPort, workerData } from "node:worker_threads";
import { Pop3 } from "../../e2e/harness/pop3.ts";
import { Smtp } from "../../e2e/harness/smtp.ts";
import type { Sample, Watch } from "./others.ts";

// The entry of a thread of its own: what the others feel must not be blurred by the large session's client.
const { pop3, lmtp, users } = workerData as Watch;
const PAUSE_MS = 4;
const REPORT_MS = 50;
const MESSAGE = Buffer.from(`Subject: small\r\n\r\n${"y".repeat(1000)}\r\n`);
let samples: Sample[] = [];
const stopping = new AbortController();

parentPort?.on("message", () => stopping.abort());
const report = setInterval(send, REPORT_MS);
await Promise.all([...users.map(poll), deliver()]);
clearInterval(report);
send();
parentPort?.close();

function send(): void {
  parentPort?.postMessage(samples);
  samples = [];
}

async function timed<T>(what: Sample["what"], work: () => Promise<T>): Promise<T> {
  const begin = performance.timeOrigin + performance.now();
  const result = await work();
  samples.push({ what, begin, ms: performance.timeOrigin + performance.now() - begin });
  return result;
}

/** One small maildrop again and again, a new connection each time, so that every thread of the server is met. */
async function poll({ address, password }: Watch["users"][number]): Promise<void> {
  while (!stopping.signal.aborted) {
    await using session = await timed("connect", () => Pop3.open(pop3));
    await session.must(`USER ${address}`);
    await timed("login", () => session.must(`PASS ${password}`));
    const [, messages = "0"] = (await timed("STAT", () => session.must("STAT"))).split(" ");
    if (Number(messages) > 0) {
      await timed("RETR", () => session.retrieve(1));
      await timed("DELE", () => session.must("DELE 1"));
    }
    await timed(Number(messages) > 0 ? "QUIT" : "STAT", () => session.must("QUIT"));
    await pause(PAUSE_MS);
  }
}

async function deliver(): Promise<void> {
  await using session = await Smtp.open(lmtp, { lmtp: true });
  for (let count = 0; !stopping.signal.aborted; count += 1) {
    const { address } = users[count % users.length] ?? { address: "" };
    const [reply] = await timed("delivery", () => session.data("sender@elsewhere.example", [address], MESSAGE));
    if (reply?.code !== 250) throw new Error(`a delivery was answered ${reply?.code} ${reply?.text}`);
    await pause(PAUSE_MS);
  }
}
