/** What happened in a simulation, line by line. */
export class Story {
  readonly lines: string[] = [];
  readonly #now: () => number;
  readonly #kept: boolean;

  /** `kept`: else nothing is written down, which is quicker. */
  constructor(now: () => number, kept: boolean) {
    this.#now = now;
    this.#kept = kept;
  }

  tell(who: string, what: string): void {
    if (!this.#kept) return;
    const seconds = (this.#now() / 1000).toFixed(3).padStart(9);
    this.lines.push(`${seconds} s  ${who.padEnd(18)} ${what}`);
  }
}
