import { assert } from "../../lib/assert.ts";
import type { Clock } from "../../lib/clock.ts";
import type { SegmentId } from "../../model/ids.ts";
import type { Log } from "../../observe/log-port.ts";
import type { Gauge, Metrics } from "../../observe/metrics-port.ts";
import { BodyFiles } from "../bodies/files.ts";
import { SegmentWriter } from "../bodies/segments.ts";
import type { Disk } from "../disk.ts";
import type { Layout } from "../layout.ts";
import { StoreError } from "../ports.ts";
import type { AnnounceSegments } from "../reclaim.ts";
import { Reclaimer } from "../reclaim.ts";
import { Reserve } from "../reserve.ts";
import { reserveIds } from "../sql/high-water.ts";
import { registerSegment } from "../sql/segments.ts";
import type { RowsConnection } from "../sql/statement.ts";
import { transaction } from "../sql/statement.ts";
import { BodyIds } from "./body-ids.ts";
import { carryOutRemoval } from "./carry-out.ts";
import type { GroupParts } from "./group.ts";
import { MOST_AT_ONCE } from "./expunge.ts";
import { commitGroup } from "./group.ts";
import { RestorePlans } from "./restore-plans.ts";
import { StoreHealth } from "./health.ts";
import { assertPlaceable } from "./place-bodies.ts";
import { watchedDisk, watchedRows } from "./sync-watch.ts";
import type { Unit } from "./unit.ts";
import { noEffects } from "./unit.ts";
import type { Outcome, Request } from "./verbs.ts";
import { isRowRequest } from "./verbs.ts";

export type WriterParts = {
  readonly sql: RowsConnection;
  readonly disk: Disk;
  readonly layout: Layout;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly clock: Clock;
  /** Tells all readers of segments that are gone. */
  readonly announce: AnnounceSegments;
  /** What is kept back for removals; where none is given, what the last server left. */
  readonly reserve?: Reserve;
};

/** Something of its own between two groups. */
type Solo = { readonly run: () => Promise<void> };

// A group ends at either, so that its answers do not wait for too much; the rest is the next group.
const MOST_UNITS = 512;
const MOST_OCTETS = 16 * 1024 * 1024;
// What a store that was full must take again before it says that it is well: the largest body that is held in memory.
const PROBE_OCTETS = 1024 * 1024;
// Pages of the log: at rest it is emptied from here on (4 MiB, as SQLite would), under load it may be longer by the second.
const SETTLE_PAGES = 1000;
const BUSY_PAGES = 3000;
const SPENT = "what is kept back for removals was needed and is not whole again";

/** The one writer of a store: commits what waits in groups, one fsync for all, and carries on removals in between. */
export class Writer implements AsyncDisposable {
  readonly #parts: WriterParts & GroupParts;
  readonly #reclaimer: Reclaimer;
  readonly #waiting: Gauge;
  readonly #queue: (Unit | Solo)[] = [];
  readonly #idle: (() => void)[] = [];
  #scheduled = false;
  #closing = false;
  /** Whether the last turn left something to put in order. */
  #untidy = false;
  /** Whether a removal may wait to be carried out; a start finds what the last run left. */
  #removals: "none" | "due" | "stuck" = "due";
  /** Pages in the log at which it is emptied next. */
  #settleAt = SETTLE_PAGES;

  constructor(given: WriterParts) {
    const { layout, log, metrics } = given;
    const health = new StoreHealth(log, metrics);
    const stop = (reason: string): void => health.stop(reason);
    const sql = watchedRows(given.sql, stop);
    const disk = watchedDisk(given.disk, stop);
    const reserve = given.reserve ?? new Reserve({ ...given, makes: false });
    if (reserve.spent) health.failed("full", SPENT);
    const parts = { ...given, sql, disk, reserve };
    const register = (): Promise<SegmentId> => reserve.told(() => transaction(sql, () => registerSegment(sql)));
    const segments = new SegmentWriter(disk, layout, register);
    const survivors = new SegmentWriter(disk, layout, register);
    this.#parts = {
      ...parts,
      segments,
      files: new BodyFiles(disk, layout),
      ids: new BodyIds(sql),
      health,
      plans: new RestorePlans(),
    };
    this.#reclaimer = new Reclaimer({ ...parts, segments, survivors });
    this.#waiting = metrics.gauge("mailkeep_store_queue");
    this.#schedule();
  }

  /** Does what is asked, in order; resolves once it is durable. */
  submit(request: Request): Promise<unknown> {
    return new Promise((settle, fail) => {
      if (request.verb === "append") assertPlaceable(request.arguments[0]);
      if (isRowRequest(request)) this.#queue.push({ request, settle, fail });
      else this.#queue.push({ run: () => this.#runAlone(request).then(settle, fail) });
      this.#schedule();
    });
  }

  /** Calls back once all that was submitted before has been answered. */
  afterAnswers(work: () => void): void {
    this.#queue.push({ run: async () => work() });
    this.#schedule();
  }

  /** Resolves when all that was asked has been answered; removals that wait are left for the next start. */
  async drain(): Promise<void> {
    this.#closing = true;
    while (this.#scheduled) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.drain();
    await this.#parts.reserve[Symbol.asyncDispose]();
    this.#reclaimer[Symbol.dispose]();
    this.#parts.segments[Symbol.dispose]();
    this.#parts.sql[Symbol.dispose]();
  }

  // By setImmediate, so that what all ports and sockets brought in this turn of the loop goes into one group.
  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => void this.#turn());
  }

  async #turn(): Promise<void> {
    this.#waiting.set(this.#queue.length);
    const first = this.#queue[0];
    if (first === undefined) await this.#tidy();
    else if ("run" in first) await this.#runSolo();
    else await this.#runGroup();
    if (this.#removals === "due" && !this.#closing) await this.#carryOut();
    this.#settle();
    this.#scheduled = false;
    const more = this.#queue.length > 0 || this.#untidy || (this.#removals === "due" && !this.#closing);
    if (more) this.#schedule();
    else for (const idle of this.#idle.splice(0)) idle();
  }

  async #tidy(): Promise<void> {
    this.#untidy = false;
    if (this.#parts.health.stopped) return;
    this.#parts.files.removeForgotten();
    await this.#parts.segments.prepare();
  }

  async #runSolo(): Promise<void> {
    const first = this.#queue.shift();
    if (first !== undefined && "run" in first) await first.run();
  }

  async #runGroup(): Promise<void> {
    const units = this.#takeGroup();
    this.#untidy = true;
    try {
      await commitGroup(units, this.#parts);
    } catch (cause) {
      // A mistake of ours: nobody may take it for a success, and the next group begins anew.
      if (this.#parts.sql.inTransaction()) this.#parts.sql.rollback();
      for (const unit of units) unit.fail(cause);
    }
    const healed = this.#removals === "stuck" && this.#parts.health.state === "ok";
    if (healed || units.some(mayRemoveMany)) this.#removals = "due";
  }

  #takeGroup(): Unit[] {
    const units: Unit[] = [];
    let octets = 0;
    for (const unit of this.#queue) {
      if ("run" in unit || units.length === MOST_UNITS || octets >= MOST_OCTETS) break;
      units.push(unit);
      if (unit.request.verb === "append") octets += unit.request.arguments[0].body.octets;
    }
    this.#queue.splice(0, units.length);
    return units;
  }

  /** Empties the log when it is long: at rest, and in any case before it is very long. */
  #settle(): void {
    const { sql, health } = this.#parts;
    if (health.stopped || this.#closing) return;
    try {
      const pages = sql.unsettledPages();
      const most = this.#queue.length === 0 ? this.#settleAt : this.#settleAt + BUSY_PAGES;
      if (pages < most) return;
      sql.settle();
      this.#settleAt = SETTLE_PAGES;
    } catch (cause) {
      if (!(cause instanceof StoreError)) throw cause;
      // What is in the log is safe there. A full disk takes it later; a failed sync has stopped the store.
      health.unitFailed(cause.full ? "full" : "failed");
      this.#settleAt += SETTLE_PAGES;
    }
  }

  async #carryOut(): Promise<void> {
    const { sql, clock, files, health, reserve, plans } = this.#parts;
    if (health.stopped) {
      this.#removals = "stuck";
      return;
    }
    try {
      const { found, effects } = await reserve.spendOn(async () => {
        const context = { sql, now: clock.now(), effects: noEffects(), plans };
        return { ...context, found: await transaction(sql, () => carryOutRemoval(context)) };
      });
      if (!found) this.#removals = "none";
      files.forget(effects.orphans);
      this.#untidy = true;
    } catch (cause) {
      const damaged = cause instanceof StoreError && cause.kind === "damaged";
      this.#removals = damaged ? "none" : "stuck";
      if (!damaged) this.#failed(cause);
      // No disk is at fault, so nothing is said to fail; nor does asking again mend it before the next start.
      else this.#parts.log.error("job.failed", { job: "removal", reason: cause.message });
    }
  }

  async #runAlone(request: Request): Promise<Outcome<"state"> | Outcome<"reclaim">> {
    if (request.verb === "state") return this.#probe();
    assert(request.verb === "reclaim", "a request of its own turn");
    const { health, reserve } = this.#parts;
    if (health.stopped) throw new StoreError("unavailable", "a sync failed before; nothing is moved now");
    try {
      return await reserve.spendOn(() => this.#reclaimer.run(...request.arguments));
    } catch (cause) {
      this.#failed(cause);
      throw cause;
    }
  }

  /** Tries again when writes are not acknowledged: else nobody would find out that they could be. */
  async #probe(): Promise<Outcome<"state">> {
    const { health, segments, sql, reserve } = this.#parts;
    if (health.stopped) return health.state;
    reserve.restore();
    if (reserve.spent) return health.failed("full", SPENT);
    if (health.state === "ok") return "ok";
    try {
      // Before the body: what that takes, a full disk does not give back at once.
      await transaction(sql, () => reserveIds(sql, "body", 0));
    } catch (cause) {
      return this.#failed(cause);
    }
    const tried = await segments.probe(PROBE_OCTETS);
    return tried.ok ? health.recovered() : health.failed(tried.error.failure, tried.error.reason);
  }

  #failed(cause: unknown): Outcome<"state"> {
    if (!(cause instanceof StoreError)) throw cause;
    const { health, reserve } = this.#parts;
    return health.failed(reserve.isWantOfRoom(cause) ? "full" : "failed", cause.message);
  }
}

function mayRemoveMany({ request }: Unit): boolean {
  if (request.verb === "expunge") return request.arguments[1].length > MOST_AT_ONCE;
  return request.verb === "removeAccount";
}
