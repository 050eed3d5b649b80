// What does not get more goes to disk as it comes.
const GROWTH = 0.75;

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

  /** Takes the first octets of a body, when there are so many left. */
  take(octets: number): boolean {
    return this.#takeBelow(this.#limit, octets);
  }

  /** Takes more for a body that has some: never the last quarter, or a few long ones would keep every other out. */
  takeMore(octets: number): boolean {
    return this.#takeBelow(this.#limit * GROWTH, octets);
  }

  give(octets: number): void {
    this.#taken -= octets;
  }

  #takeBelow(most: number, octets: number): boolean {
    if (this.#taken + octets > most) return false;
    this.#taken += octets;
    return true;
  }
}
