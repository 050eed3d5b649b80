/**
 * Rows of a large piece of work that go in one transaction: few enough that a delivery behind it hardly waits, enough
 * that the commit between two of them costs little.
 */
export const SLICE = 250;
