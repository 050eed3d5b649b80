import type { Fault, Verb } from "./process.ts";
import type { Line } from "./network.ts";
import type { Settings } from "./server.ts";

/*
 * What happens in a simulation, as data: made from a seed, and made smaller by leaving things out, to find what a failure
 * needs. Everything has a name or a time of its own, so that what is left out changes nothing for the rest.
 */

export type Vanish = { readonly after: number; readonly how: "reset" | "end" | "silence" };

export type MailPlan = {
  readonly name: string;
  /** Indices of accounts. */
  readonly to: readonly number[];
  readonly octets: number;
  readonly pipelined: boolean;
  /** RSET after the recipients, and all again. */
  readonly resets: boolean;
  readonly pauseMs: number;
};

export type SenderPlan = {
  readonly kind: "sender";
  readonly name: string;
  readonly at: number;
  readonly protocol: "smtp" | "lmtp";
  readonly mails: readonly MailPlan[];
  readonly vanish: Vanish | undefined;
};

export type VisitPlan = {
  readonly pauseMs: number;
  /** Shares of the messages. */
  readonly fetches: number;
  readonly removes: number;
  /** RSET, and other marks. */
  readonly resets: boolean;
  /** Reads nothing for so long, in the middle of it. */
  readonly stallMs: number;
  readonly idleMs: number;
  readonly pipelined: boolean;
  readonly ends: "quit" | "reset" | "end" | "silence";
  readonly vanish: Vanish | undefined;
};

export type ReaderPlan = {
  readonly kind: "reader";
  readonly name: string;
  readonly at: number;
  readonly account: number;
  readonly device: string;
  readonly visits: readonly VisitPlan[];
};

export type Act =
  "expire" | "erase" | "reclaim" | "forget" | "restore" | "remove" | "make" | "disable" | "enable" | "release";

export type AdminPlan = {
  readonly kind: "admin";
  readonly name: string;
  readonly at: number;
  readonly acts: readonly { readonly act: Act; readonly account: number; readonly pauseMs: number }[];
};

export type ActorPlan = SenderPlan | ReaderPlan | AdminPlan;

export type FaultPlan =
  /** The process or the machine dies so many steps after a time, and starts again. */
  | { readonly kind: "kill" | "power"; readonly at: number; readonly steps: number; readonly restartMs: number }
  /** The operator stops it: sessions have some seconds to finish. */
  | { readonly kind: "stop"; readonly at: number; readonly seconds: number; readonly restartMs: number }
  | { readonly kind: "thread"; readonly at: number; readonly steps: number; readonly thread: number }
  /** The next verbs of these kinds fail, `skip` of them left out. */
  | {
      readonly kind: "disk";
      readonly at: number;
      readonly forMs: number;
      readonly verbs: readonly Verb[];
      readonly skip: number;
      readonly count: number;
      readonly fault: Fault;
    }
  /** So much is free, and no more, for a time. */
  | { readonly kind: "full"; readonly at: number; readonly forMs: number; readonly freeOctets: number }
  | { readonly kind: "slow"; readonly at: number; readonly forMs: number; readonly ms: number }
  | { readonly kind: "clock"; readonly at: number; readonly byMs: number };

export type Plan = {
  readonly seed: number;
  readonly line: Line;
  /** The longest way of a message from thread to thread; long where a thread has much to do. */
  readonly hopMs: number;
  /** What a sync takes at most. */
  readonly syncMs: number;
  readonly settings: Settings;
  readonly accounts: number;
  readonly actors: readonly ActorPlan[];
  readonly faults: readonly FaultPlan[];
  /** How the last life before the final look ends. */
  readonly lastEnd: "kill" | "power";
};
