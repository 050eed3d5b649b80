import type { Device } from "../model/device.ts";
import type { Log } from "../observe/log-port.ts";
import type { Metrics } from "../observe/metrics-port.ts";
import type { Named } from "./name.ts";

/** Where a login comes in. */
export type LoginDoor = { readonly protocol: "pop3" | "smtp" | "submission" | "lmtp" };

/** Whose login it is: what the log says of each. `tls` is the version, or "" without TLS. */
export type Visitor = LoginDoor & { readonly mechanism: string; readonly tls: string; readonly peer: string };

/** Why a login was refused, for the operator only. */
export type RefusalReason =
  | "wrong password"
  | "no password"
  | "wrong proof"
  | "no SCRAM keys"
  | "wrong token"
  | "no certificate"
  | "another user"
  | "app password required"
  | "out of scope"
  | "expired"
  | "unknown"
  | "disabled"
  | "not an address"
  | "throttled";

/** What the log and the metrics say of logins. */
export type LoginReport = {
  ok(visitor: Visitor, named: Named, device: Device, seconds: number): void;
  /** `user` is undefined where the name may be no name at all. */
  refused(visitor: Visitor, user: string | undefined, reason: RefusalReason): void;
  unavailable(visitor: Visitor, reason: string): void;
};

/** Writes to the log and counts. */
export function createLoginReport(log: Log, metrics: Metrics): LoginReport {
  const accepted = metrics.counter("mailkeep_logins_total", "ok");
  const refused = metrics.counter("mailkeep_logins_total", "refused");
  const throttled = metrics.counter("mailkeep_logins_total", "throttled");
  const unavailable = metrics.counter("mailkeep_logins_total", "unavailable");
  const duration = metrics.histogram("mailkeep_login_seconds");
  return {
    ok({ protocol, mechanism, tls, peer }, { account }, device, seconds) {
      accepted.add();
      duration.observe(seconds);
      log.info("login.ok", { protocol, account: account.address, device: device.name, mechanism, tls, peer });
    },
    refused({ protocol, mechanism, peer }, user, reason) {
      (reason === "throttled" ? throttled : refused).add();
      log.info("login.refused", { protocol, user: user ?? "(not a name of ours)", mechanism, reason, peer });
    },
    unavailable({ protocol, peer }, reason) {
      unavailable.add();
      log.error("login.unavailable", { protocol, reason, peer });
    },
  };
}
