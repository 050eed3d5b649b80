import type { SecureContext } from "node:tls";
import type { Clock } from "../../lib/clock.ts";
import { Crowd } from "../../net/crowd.ts";
import { listen, type Listener } from "../../net/listener.ts";
import { createLogShared, LogControl } from "../../observe/log-control.ts";
import { createLog } from "../../observe/log.ts";
import { createMetricsShared, metricsFor } from "../../observe/metrics.ts";
import { renderMetrics } from "../../observe/metrics-text.ts";
import type { SmtpLimits, SmtpProtocol } from "../options.ts";
import { smtpHandler } from "../server.ts";
import { House } from "./house.ts";

/** A clock that stands still until it is moved. */
export class HeldClock implements Clock {
  ms = 1_000_000;
  readonly now = (): number => this.ms;
  readonly monotonic = (): number => this.ms;
}

/** A real listener on loopback with a house of plain data behind it, and a clock that the test moves. */
export type TestServer = AsyncDisposable & {
  readonly port: number;
  readonly house: House;
  readonly listener: Listener;
  readonly events: readonly Record<string, unknown>[];
  /** Lets so many seconds pass, one sweep each. */
  pass(seconds: number): void;
  metric(name: string): number;
};

export type TestOptions = {
  readonly protocol?: SmtpProtocol;
  readonly allowCleartext?: boolean;
  readonly limits?: Partial<SmtpLimits>;
};

/** Starts one. */
export async function startServer(options: TestOptions = {}): Promise<TestServer> {
  const { protocol = "smtp", allowCleartext = true } = options;
  const clock = new HeldClock();
  const house = new House();
  const shared = createMetricsShared(1);
  const metrics = metricsFor(shared, 0);
  const events: Record<string, unknown>[] = [];
  const log = createLog(new LogControl(createLogShared("debug")), metrics, clock, (line) =>
    events.push(JSON.parse(line) as Record<string, unknown>),
  );
  const limits = {
    messageOctets: 1_000_000,
    recipients: 100,
    idleSeconds: 300,
    contentSeconds: 3600,
    ...options.limits,
  };
  const crowd = new Crowd({ connections: 100, clock });
  const listener = await listen({
    protocol,
    address: { host: "127.0.0.1", port: 0 },
    tls: "none",
    context: noContext,
    busyLine: "421 4.7.0 busy\r\n",
    accept: smtpHandler(
      protocol,
      { hostname: "mail.example.test", allowCleartext, startTls: false, limits },
      house,
      log,
      metrics,
      clock,
    ),
    crowd,
    metrics,
    log,
  });
  const { address } = listener;
  return {
    port: "port" in address ? address.port : 0,
    house,
    listener,
    events,
    pass: (seconds) => {
      for (let i = 0; i < seconds; i += 1) {
        clock.ms += 1000;
        crowd.sweep();
      }
    },
    metric: (name) => {
      const line = renderMetrics(shared, [])
        .split("\n")
        .find((each) => each.startsWith(`${name} `));
      return Number(line?.split(" ")[1] ?? Number.NaN);
    },
    [Symbol.asyncDispose]: async () => {
      await listener[Symbol.asyncDispose]();
      crowd[Symbol.dispose]();
    },
  };
}

function noContext(): SecureContext {
  throw new Error("no TLS here");
}
