import { createContext, Script } from "node:vm";

const script = new Script("work()");

/** What was going on when the time was over. */
export class Hang extends Error {
  constructor(seconds: number) {
    super(`hang: nothing came back within ${seconds} s`);
    this.name = "Hang";
  }
}

/** Runs synchronous work and ends it when it takes too long, also where it loops without end. */
export function guard(seconds: number, work: () => void): void {
  const context = createContext({ work });
  try {
    script.runInContext(context, { timeout: seconds * 1000 });
  } catch (cause) {
    // The error is of the other context, whose Error is not ours.
    const isLate = typeof cause === "object" && cause !== null && "code" in cause;
    if (isLate && cause.code === "ERR_SCRIPT_EXECUTION_TIMEOUT") throw new Hang(seconds);
    throw cause;
  }
}
