/** Thrown by whoever finds that a promise was broken. */
export class BrokenPromise extends Error {
  constructor(promise: string, what: string) {
    super(`${promise}: ${what}`);
    this.name = "BrokenPromise";
  }
}
