import type { Machine } from "./machine.ts";
import type { Fault, Verb } from "./process.ts";
import type { FaultPlan } from "./plan.ts";
import type { Runtime } from "./runtime.ts";

type Window = Extract<FaultPlan, { kind: "disk" }> & { skipped: number; hits: number };

const SYNCS: ReadonlySet<Verb> = new Set(["fdatasyncSync", "fsyncFolderSync", "rows.commit", "rows.settle"]);

/** Makes a machine's disk fail and be slow, in the windows of a plan. */
export class DiskFaults {
  readonly #runtime: Runtime;
  readonly #machine: Machine;
  readonly #tell: (what: string) => void;
  readonly #windows = new Set<Window>();
  readonly #syncMs: number;
  #slowMs = 0;
  hits = 0;
  /** When a sync of the writer failed since the last start; Infinity: none has. */
  stoppedAt = Number.POSITIVE_INFINITY;

  /** `syncMs`: what a sync takes at most on a good day. */
  constructor(runtime: Runtime, machine: Machine, syncMs: number, tell: (what: string) => void) {
    this.#runtime = runtime;
    this.#machine = machine;
    this.#syncMs = syncMs;
    this.#tell = tell;
    machine.faults = (verb, path) => this.#decide(verb, path);
  }

  /** How long an asynchronous verb takes. */
  get asyncMs(): number {
    return this.#slowMs > 0 ? this.#slowMs : this.#runtime.current.random.fraction() * 0.3;
  }

  fail(plan: Extract<FaultPlan, { kind: "disk" }>): void {
    const window = { ...plan, skipped: 0, hits: 0 };
    this.#windows.add(window);
    this.#runtime.after(this.#runtime.outside, plan.forMs, () => this.#windows.delete(window));
  }

  slow(ms: number): void {
    this.#slowMs = ms;
  }

  stop(): void {
    this.#windows.clear();
    this.#slowMs = 0;
    this.#machine.faults = undefined;
  }

  // Between the slices of a removal others have their turns.
  #usualMs(): number {
    return this.#syncMs === 0 ? 0 : this.#runtime.current.random.fraction() * this.#syncMs;
  }

  #decide(verb: Verb, path: string): Fault | undefined {
    if (SYNCS.has(verb)) this.#runtime.spend(this.#slowMs > 0 ? this.#slowMs : this.#usualMs());
    for (const window of this.#windows) {
      if (!window.verbs.includes(verb) || window.hits >= window.count) continue;
      window.skipped += 1;
      if (window.skipped <= window.skip) continue;
      window.hits += 1;
      this.hits += 1;
      if (isFailedSync(verb, window.fault)) this.stoppedAt = Math.min(this.stoppedAt, this.#runtime.monotonic());
      if (window.hits <= 3) this.#tell(`${verb} ${path} fails (${JSON.stringify(window.fault)})`);
      return window.fault;
    }
    return undefined;
  }
}

// The sync of a spool is asked for by another thread, and what it spools is not taken.
function isFailedSync(verb: Verb, fault: Fault): boolean {
  if (verb === "fdatasyncSync" || verb === "fsyncFolderSync")
    return fault !== "rot" && !(typeof fault === "object" && "short" in fault);
  return (verb === "rows.commit" || verb === "rows.settle") && fault === "sync";
}
