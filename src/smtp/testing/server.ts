import type { SecureContext } from "node:tls";
import type { MechanismPolicy } from "../../auth/engine/channel.ts";
import type { Clock } from "../../lib/clock.ts";
import { Crowd } from "../../net/crowd.ts";
import { listen, type Listener } from "../../net/listener.ts";
import { testContext } from "../../net/testing.ts";
import { recordingLog, testMetrics, type Recorded } from "../../observe/testing.ts";
import type { SmtpLimits, SmtpProtocol } from "../options.ts";
import { smtpHandler } from "../server.ts";
import { House } from "./house.ts";
import { PASSWORDS_ONLY } from "../engine/testing/policy.ts";

/** A real listener on loopback with a house of plain data behind it, and a clock that the test moves. */
export type TestServer = AsyncDisposable & {
  readonly port: number;
  readonly house: House;
  readonly listener: Listener;
  readonly events: readonly Recorded[];
  /** Lets so many seconds pass, one sweep each. */
  pass(seconds: number): void;
  /** A metric by its line in the text format. */
  metric(name: string): number | undefined;
};

export type TestOptions = {
  readonly protocol?: SmtpProtocol;
  readonly policy?: Partial<MechanismPolicy>;
  readonly tls?: "starttls" | "implicit";
  readonly limits?: Partial<SmtpLimits>;
};

/** Starts one. */
export async function startServer(options: TestOptions = {}): Promise<TestServer> {
  const { protocol = "smtp", tls = "none" } = options;
  const clock = new HeldClock();
  const house = new House({ ...PASSWORDS_ONLY, allowCleartext: true, ...options.policy });
  const { log, events } = recordingLog();
  const { metrics, sample } = testMetrics();
  const limits = { messageOctets: 1_000_000, recipients: 100, idleSeconds: 300, contentSeconds: 3600 };
  const given = {
    hostname: "mail.example.test",
    startTls: tls === "starttls",
    limits: { ...limits, ...options.limits },
  };
  const certificate = tls === "none" ? undefined : await testContext();
  const crowd = new Crowd({ connections: 100, clock });
  const listener = await listen({
    protocol,
    address: { host: "127.0.0.1", port: 0 },
    tls,
    context: () => certificate ?? noContext(),
    busyLine: "421 4.7.0 busy\r\n",
    accept: smtpHandler(protocol, given, house, log, metrics, clock),
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
    metric: sample,
    [Symbol.asyncDispose]: async () => {
      await listener[Symbol.asyncDispose]();
      crowd[Symbol.dispose]();
    },
  };
}

/** A clock that stands still until it is moved. */
class HeldClock implements Clock {
  ms = 1_000_000;
  readonly now = (): number => this.ms;
  readonly monotonic = (): number => this.ms;
}

function noContext(): SecureContext {
  throw new Error("no TLS here");
}
