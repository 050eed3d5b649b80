/**
 * Why a store could not be opened. "newer": made by a later version of the program; "damaged": the database is not
 * whole; "full" and "failed": the disk did not take or give what opening needs. `reason` is a sentence for the operator.
 */
export type OpenRefusal = {
  readonly kind: "newer" | "damaged" | "full" | "failed";
  readonly reason: string;
  /** A sync failed: to ask again would not tell what is on disk. */
  readonly sync?: true;
};
