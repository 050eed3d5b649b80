import type { Clock } from "../../lib/clock.ts";
import type { Result } from "../../lib/result.ts";
import { err } from "../../lib/result.ts";
import type { Metrics } from "../../observe/metrics-port.ts";
import type { BodyFiles } from "../bodies/files.ts";
import type { SegmentWriter } from "../bodies/segments.ts";
import type { WriteFailure } from "../ports.ts";
import { StoreError } from "../ports.ts";
import type { Reserve } from "../reserve.ts";
import { growSegment, sealSegment, shrinkSegment } from "../sql/segments.ts";
import type { WriteSql } from "../sql/statement.ts";
import type { BodyIds } from "./body-ids.ts";
import type { StoreHealth } from "./health.ts";
import { placeBodies } from "./place-bodies.ts";
import { makesRoom } from "./makes-room.ts";
import type { RestorePlans } from "./restore-plans.ts";
import { runRows } from "./run-rows.ts";
import { isFailedSync } from "./sync-watch.ts";
import type { Effects, PlacedBody, Unit } from "./unit.ts";
import { addEffects, noEffects } from "./unit.ts";

export type GroupParts = {
  readonly sql: WriteSql;
  readonly segments: SegmentWriter;
  readonly files: BodyFiles;
  readonly ids: BodyIds;
  readonly health: StoreHealth;
  readonly plans: RestorePlans;
  readonly reserve: Reserve;
  readonly metrics: Metrics;
  readonly clock: Clock;
};

/** `inDoubt`: only a restart can tell whether the rows are there. */
type Failure = { readonly failure: WriteFailure; readonly reason: string; readonly inDoubt?: boolean };
const KEPT_BACK: Failure = { failure: "full", reason: "the disk is full: what room there is, is for removals" };
const STOPPED: Failure = { failure: "failed", reason: "a sync failed before; only a restart tells what is on disk" };
type Answer = { readonly unit: Unit; readonly outcome: Result<unknown, unknown> } | { unit: Unit; cause: unknown };

/**
 * Commits what waits, all together: bodies written and synced, then the rows in one transaction, each unit in a savepoint
 * of its own, then the answers. That order is the whole proof of P1 and P8: a row is never there before its body, and
 * nobody hears of a row before it is durable.
 */
export async function commitGroup(units: readonly Unit[], parts: GroupParts): Promise<void> {
  if (parts.health.stopped) return answerAll(units, STOPPED, parts);
  if (parts.reserve.spent) return commitInReserve(units, parts);
  await commitAll(units, parts);
}

/** What was kept back and given up is for what makes room; all else waits until it is back. */
async function commitInReserve(units: readonly Unit[], parts: GroupParts): Promise<void> {
  answerAll(
    units.filter((unit) => !makesRoom(unit)),
    KEPT_BACK,
    parts,
  );
  const others = units.filter(makesRoom);
  if (others.length > 0) await commitAll(others, parts);
}

async function commitAll(units: readonly Unit[], parts: GroupParts): Promise<void> {
  const started = parts.clock.monotonic();
  const doubt = await writeBodies(units, parts);
  if (doubt !== undefined) {
    dropFiles(units, parts);
    return answerAll(units, doubt, parts);
  }
  const placed = units.filter((unit) => unit.placed?.ok !== false);
  for (const unit of units) if (unit.placed?.ok === false) answerAll([unit], unplaced(unit.placed.error), parts);
  if (placed.length === 0) return;
  const whole = placed.length === units.length;
  const failure = await commitRows(placed, { started, whole }, parts);
  if (failure === undefined) return;
  if (failure.inDoubt !== true) dropFiles(placed, parts);
  if (failure.failure !== "full") return answerAll(placed, failure, parts);
  answerAll(
    placed.filter((unit) => !makesRoom(unit)),
    failure,
    parts,
  );
  const others = placed.filter(makesRoom);
  if (others.length > 0) await commitForRoom(others, { failure, started, mixed: others.length < placed.length }, parts);
}

/** Where rows no longer fit, those of a removal still may without the others, or in what is kept back for them. */
async function commitForRoom(
  units: readonly Unit[],
  tried: { readonly failure: Failure; readonly started: number; readonly mixed: boolean },
  parts: GroupParts,
): Promise<void> {
  let failure: Failure | undefined = tried.failure;
  for (let again = tried.mixed || parts.reserve.giveUp(); again; again = parts.reserve.giveUp()) {
    failure = await commitRows(units, { started: tried.started, whole: false }, parts);
    if (failure?.failure !== "full") break;
  }
  if (failure !== undefined) answerAll(units, failure, parts);
}

async function writeBodies(units: readonly Unit[], parts: GroupParts): Promise<Failure | undefined> {
  if (parts.health.state === "failed") {
    // After a failed write nothing is acknowledged until a new segment has been synced.
    const opened = await parts.segments.open();
    if (!opened.ok) return opened.error;
  }
  const doubt = await placeBodies(units, parts);
  if (doubt !== undefined) parts.segments.retire();
  return doubt;
}

function unplaced(failure: WriteFailure): Failure {
  return { failure, reason: failure === "full" ? "the disk is full" : "the disk did not take the body" };
}

/** `whole`: these are all units of the group. */
type Group = { readonly started: number; readonly whole: boolean };

/** Commits the rows and answers; or gives why nothing of them is there. */
async function commitRows(units: readonly Unit[], group: Group, parts: GroupParts): Promise<Failure | undefined> {
  const { sql, segments, files, clock, health } = parts;
  // A sync failed on the way here, such as that of an id's transaction.
  if (health.stopped) return STOPPED;
  const effects = noEffects();
  const answers: Answer[] = [];
  let committing = false;
  try {
    const now = clock.now();
    sql.begin();
    for (const unit of units) answers.push(await runUnit(unit, now, effects, parts));
    const seals = segments.seals;
    await writeSegmentRows(effects, seals, now, parts);
    committing = true;
    sql.commit();
    segments.sealed(seals);
  } catch (cause) {
    return rollBack(cause, committing, parts);
  }
  files.forget(effects.orphans);
  noteSuccess(units, group, parts);
  for (const answer of answers) {
    if ("outcome" in answer) answer.unit.settle(answer.outcome);
    else answer.unit.fail(answer.cause);
  }
  return undefined;
}

function rollBack(cause: unknown, committing: boolean, { sql, segments, health, reserve }: GroupParts): Failure {
  if (!(cause instanceof StoreError)) throw cause;
  if (cause.sync) health.stop(cause.message);
  try {
    if (sql.inTransaction()) sql.rollback();
  } catch (second) {
    if (!(second instanceof StoreError)) throw second;
  }
  // Whether it is really gone only a restart can tell: its octets stay where they are, and no more go there.
  const inDoubt = committing && !cause.full;
  if (inDoubt) segments.retire();
  return { failure: reserve.isWantOfRoom(cause) ? "full" : "failed", reason: cause.message, inDoubt };
}

async function runUnit(unit: Unit, now: number, group: Effects, parts: GroupParts): Promise<Answer> {
  const { sql, health, reserve, plans } = parts;
  const effects = noEffects();
  const context = { sql, now, effects, plans, ...(unit.placed?.ok ? { placed: unit.placed.value } : {}) };
  sql.mark();
  try {
    const outcome = await runRows(context, unit.request);
    if (outcome.ok) {
      sql.keep();
      addEffects(group, effects);
    } else {
      sql.undo();
    }
    return { unit, outcome };
  } catch (cause) {
    // Some errors end the whole transaction.
    if (!sql.inTransaction()) throw cause;
    if (isFailedSync(cause)) throw cause;
    // All are tried again in what is kept back.
    if (makesRoom(unit) && reserve.left && reserve.isWantOfRoom(cause)) throw cause;
    sql.undo();
    if (unit.placed?.ok) wasteBody(unit.placed.value, group);
    if (!(cause instanceof StoreError)) return { unit, cause };
    const failure = reserve.isWantOfRoom(cause) ? "full" : "failed";
    health.unitFailed(failure);
    return { unit, outcome: err(failure) };
  }
}

function wasteBody({ id, segment }: PlacedBody, effects: Effects): void {
  if (segment === null) effects.orphans.push(id);
  else effects.wasted.add(segment);
}

async function writeSegmentRows(
  effects: Effects,
  seals: SegmentWriter["seals"],
  now: number,
  { sql, segments }: GroupParts,
): Promise<void> {
  for (const [segment, live] of effects.live) {
    await growSegment(sql, segment, live, segments.endOf(segment) ?? live);
  }
  for (const segment of effects.wasted) await shrinkSegment(sql, segment, 0, now);
  for (const [segment, total] of seals) await sealSegment(sql, segment, total, now);
}

/** Own files of a group that is not there; where its commit is in doubt a restart decides. */
function dropFiles(units: readonly Unit[], { files }: GroupParts): void {
  const effects = noEffects();
  for (const unit of units) if (unit.placed?.ok) wasteBody(unit.placed.value, effects);
  files.forget(effects.orphans);
}

function answerAll(units: readonly Unit[], { failure, reason }: Failure, { health }: GroupParts): void {
  if (units.length === 0) return;
  health.failed(failure, reason);
  for (const unit of units) unit.settle(err(failure));
}

function noteSuccess(units: readonly Unit[], { started, whole }: Group, parts: GroupParts): void {
  const { health, metrics, clock } = parts;
  metrics.histogram("mailkeep_store_commit_seconds").observe((clock.monotonic() - started) / 1000);
  metrics.histogram("mailkeep_store_group_units").observe(units.length);
  // A disk that takes no bodies may still take a removal; only bodies that were all taken show that it is well again.
  if (whole && units.some((unit) => unit.placed !== undefined)) health.recovered();
}
