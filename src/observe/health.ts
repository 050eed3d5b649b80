/** What a part says of itself. */
export type PartState = "starting" | "ready" | "stopping" | "failed";

export type PartReport = { readonly status: PartState; readonly reason?: string };

export type HealthReport = {
  readonly status: PartState;
  readonly parts: Readonly<Record<string, PartReport>>;
};

/** The named parts of the server and what each said last. */
export type Health = {
  /** `reason` is for the operator: a fact, never a secret. */
  readonly say: (part: string, status: PartState, reason?: string) => void;
  readonly report: () => HealthReport;
};

// The worst word of any part is the word of the whole.
const WORST_FIRST = ["failed", "stopping", "starting", "ready"] as const satisfies readonly PartState[];

/** Begins with these parts starting: the whole is ready when each of them has said so. */
export function createHealth(parts: readonly string[]): Health {
  const said = new Map<string, PartReport>(parts.map((part) => [part, { status: "starting" }]));
  return {
    say: (part, status, reason) => {
      said.set(part, reason === undefined ? { status } : { status, reason });
    },
    report: () => {
      const states = new Set([...said.values()].map((part) => part.status));
      const status = WORST_FIRST.find((state) => states.has(state)) ?? "starting";
      return { status, parts: Object.fromEntries(said) };
    },
  };
}
