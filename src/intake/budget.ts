/** Octets that the bodies held in memory by one thread may take together (DESIGN "Spool"). */
export class Budget {
  readonly #limit: number;
  #taken = 0;

  constructor(octets: number) {
    this.#limit = octets;
  }

  get taken(): number {
    return this.#taken;
  }

  /** Takes so many octets when there are so many left. */
  take(octets: number): boolean {
    if (this.#taken + octets > this.#limit) return false;
    this.#taken += octets;
    return true;
  }

  give(octets: number): void {
    this.#taken -= octets;
  }
}
